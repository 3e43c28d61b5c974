// Package dashboard is the web page on which a person sees what the queue does, why it stands still, and what to do about it.
//
//	browser ─► guard ─► session ─► page ─► kept ─► ports (the queue, the pools, the requests, the dead letters)
//	   ▲                             │
//	   └── HTML, or its live parts ◄─┘
//	browser ─► guard ─► session: an administrator ─► confirmation ─► Desk ─► purchase.admin and keypool.admin
//
// What a page shows is found out first, as a value, whose view then makes the page of it: the show files hold nothing but that.
// Text and attributes are escaped, and a link whose address is made of anything goes through href, which leads to our own pages only.
//
// Every page is complete as the server wrote it and needs no script. With one it is live: a page that is asked for as an event
// stream sends its parts again whenever they have changed. What a page shows is asked for once for everybody who looks, and by
// nobody if nobody does: see kept. So a dashboard costs the workers a question a second, however many look.
//
// Who may what:
//
//	reading    anybody on this machine if it listens on loopback alone, where a name that is not this machine's is turned away
//	           (a page elsewhere could give its own name our address); else whoever has logged in with a token
//	changing   whoever has logged in with the administrators' token: a session of its own, SameSite, with a token in each form,
//	           and from a page of this origin only
//
// A change is asked for as any administrator asks for it, with the name that was given at the login, so that it is in the same
// journal. Lists hold no buyer's data, since the ports give none.
package dashboard
