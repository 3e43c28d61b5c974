package bus

// The takers are shared out among the lanes in which messages wait, to the one that was given least for its share, so that each is
// given takers in proportion and none is starved. A lane in which none waits is listened to, with a pull for a single message, but
// while it is ahead of the others: what trickles in has no more than its share either. It has nothing to catch up on later. While no lane
// has any waiting, the one from which a message came last is listened to for as many as half of the takers, if not so many are spoken for:
// what comes one after the other then needs no pull each.

// least is what was given to the lane that comes next of those, but for one, in which messages wait; false if none do. The mutex must
// be held.
func (in *Inbox) least(but *lane) (least float64, busy bool) {
	for _, l := range in.lanes {
		if l != but && l.busy() && (!busy || l.given < least) {
			least, busy = l.given, true
		}
	}
	return least, busy
}

// busy says whether messages wait in the lane, or are on their way from there because they did.
func (l *lane) busy() bool { return l.waits > 0 || l.asked > 0 && !l.listening }

// give counts a message that came from a lane; was says whether more were known to wait there before. The mutex must be held.
func (in *Inbox) give(l *lane, was bool) {
	least, others := in.least(l)
	switch {
	case !others && !l.busy(): // nobody has to wait for anybody
		for _, each := range in.lanes {
			each.given = 0
		}
	case others && !was:
		l.given = max(l.given, least)
	}
	l.given += 1 / l.share
}

// shareOut has the lanes in which messages wait asked for so many together. One whose turn it is, but which has a pull open, has the
// others wait for that: it is answered at once. The mutex must be held.
func (in *Inbox) shareOut(spare int) error {
	for range spare {
		turn := in.turn()
		if turn == nil || turn.asked > 0 {
			break
		}
		turn.more++
	}
	for _, l := range in.lanes {
		n := l.more
		if l.more = 0; n == 0 {
			continue
		}
		if err := l.ask(in.bus, n, false); err != nil {
			return err
		}
	}
	return nil
}

// turn is the lane that comes next, nil if nothing waits that is not asked for. The mutex must be held.
func (in *Inbox) turn() (turn *lane) {
	for _, l := range in.lanes {
		if l.waits > l.more && (turn == nil || l.soon() < turn.soon()) {
			turn = l
		}
	}
	return turn
}

// soon is what the lane will have been given with what is on its way.
func (l *lane) soon() float64 { return l.given + float64(l.asked+l.more)/l.share }

// listen has the lanes listened to in which none waits, as long as no more may come than there are takers and lanes beside the
// first. The mutex must be held.
func (in *Inbox) listen() error {
	least, busy := in.least(nil)
	for _, l := range in.lanes {
		if l.asked > 0 || l.waits > 0 || busy && l.given > least || in.asked() >= in.wanted()+len(in.lanes)-1 {
			continue
		}
		n := 1
		if !busy && l == in.latest {
			n = max(1, min(in.wanted()/2, in.wanted()-in.asked()))
		}
		if err := l.ask(in.bus, n, true); err != nil {
			return err
		}
	}
	return nil
}

// asked is how many messages may still come. The mutex must be held.
func (in *Inbox) asked() (n int) {
	for _, l := range in.lanes {
		n += l.asked
	}
	return n
}

// promised is how many of them come, as far as is known. The mutex must be held.
func (in *Inbox) promised() (n int) {
	for _, l := range in.lanes {
		if !l.listening {
			n += l.asked
		}
	}
	return n
}
