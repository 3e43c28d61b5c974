package worker

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Step is one step of making an app key on 1688's platform, in the order in which the platform asks for them.
//
// The order and what there is to click follow one public guide by another service (OT Commerce, "Create Your Own Key"), which was
// not tried. The platform's pages are in Chinese, and the exact words of their buttons are not known.
type Step struct {
	Name  string // such as "websocket"
	Title string // one line
	Do    string // what a person does
	Check Check  // what proves it; "" if only a person can say
}

// Machine says whether the step is proven by 1688 itself, so that no person's word is needed.
func (s Step) Machine() bool { return s.Check != "" }

var steps = []Step{
	{"application", "Apply as a procurement service provider",
		"On open.1688.com open the solution for procurement (the guide links /solution/detail), click the orange button at the top, and agree to the application for the status of a procurement service provider.", ""},
	{"company", "Complete the company's data",
		"A new account is asked for the company's details: fill them in. The fields are not known here.", ""},
	{"role", "Select a role", "Select the role that suits the company. The choices' names are not known here.", ""},
	{"form", "Fill in the form", "Fill in the form: the company, what it does, and what else is asked.", ""},
	{"test_key", "The test key is made", "Wait until the page says that the test key was made, go back to it, and scroll down.", ""},
	{"settings", "Open the key's settings", "Click the blue button below, then choose section 4: there the key is configured.", ""},
	{"websocket", "Choose the websocket for messages",
		"In section 4 click the first button, select Websocket, click the blue button below, and leave the page.", CheckConnect},
	{"buyer_account", "Enter the buyer account's id", "In section 4 click the second button and enter the id of the buyer account that shall order.", ""},
	{"commands", "Tick all commands", "Tick every command (message topic) that is listed, and save.", CheckPush},
	{"test_commands", "Send the test commands", "Send the test command of each topic from the same page, while the relay is running.", CheckPush},
	{"step_two", "Step 2 is passed", "Look whether the page shows step 2 as passed.", ""},
	{"secret", "Give the relay the key and its secret",
		"Copy app key and secret from the app's page: a managed key's secret goes into the relay's keys file, an own key's is sealed before it leaves this program (autopurchase keys seal).", CheckTime},
	{"authorization", "Authorize the app as the buyer",
		"Open the address that `autopurchase keys authorize APPKEY` prints, signed in as the buyer account, and consent.", CheckToken},
	{"orders", "The app may order",
		"In the app's permissions, see to it that the order API (com.alibaba.trade) is permitted. The page's name is not known here.", CheckPreview},
	{"alipay", "Sign the agreement with Alipay",
		"In the buyer account bind an Alipay account and sign the agreement to pay without a password; the page's name is not known here. A key whose orders a person pays for needs none: waive it.", CheckAgreement},
}

// Steps lists the steps of onboarding in their order.
func Steps() []Step { return slices.Clone(steps) }

// StepNames lists their names.
func StepNames() []string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Name
	}
	return names
}

// StepNamed finds a step; false if there is none of that name.
func StepNamed(name string) (Step, bool) {
	at := slices.IndexFunc(steps, func(s Step) bool { return s.Name == name })
	if at < 0 {
		return Step{}, false
	}
	return steps[at], true
}

// StepVerdict is how a step stands.
type StepVerdict string

// The verdicts. A key is onboarded once each step is passed or waived.
const (
	StepPassed StepVerdict = "passed" // by the machine, or by the word of a person
	StepWaived StepVerdict = "waived" // a person takes it on: not needed, or done where it cannot be seen
	StepOpen   StepVerdict = "open"
)

// ByMachine stands for a person's name where a check proved a step.
const ByMachine = "machine"

// Done is what is on record about a step, or what a check made of it.
type Done struct {
	Verdict StepVerdict
	By      string // who said so
	Why     string
	At      time.Time
}

// Item is a step of a key and how it stands.
type Item struct {
	Step
	Done
}

// Checklist puts what is on record to the steps; what is not is open.
func Checklist(done map[string]Done) []Item {
	items := make([]Item, len(steps))
	for i, s := range steps {
		items[i] = Item{Step: s, Done: done[s.Name]}
		if items[i].Verdict == "" {
			items[i].Verdict = StepOpen
		}
	}
	return items
}

// Onboarded says whether nothing is open any more.
func Onboarded(items []Item) bool {
	return !slices.ContainsFunc(items, func(i Item) bool { return i.Verdict == StepOpen })
}

// Weigh says what the answer to the step's check makes of it: passed, or open and why. account is the buyer account that the key is
// declared for, "" if none is.
func (s Step) Weigh(answer Answer, account string) Done {
	done := Done{Verdict: StepOpen, By: ByMachine, Why: answer.Reason}
	if answer.Verdict != Placed {
		return done
	}
	proof := answer.Proof
	if proof == nil {
		proof = &Proof{}
	}
	switch s.Check {
	case CheckPush:
		done.Why = "test pushes came: " + strings.Join(proof.Topics, ", ") + "; that nothing is missing, no check shows"
	case CheckToken:
		if done.Why = whose(proof.Accounts, account); done.Why != "" {
			return done
		}
		done.Why = "authorized by " + strings.Join(proof.Accounts, " / ")
	}
	done.Verdict = StepPassed
	return done
}

// whose says what is wrong with the account that authorized a key, "" if nothing is.
func whose(accounts []string, declared string) string {
	switch {
	case len(accounts) == 0:
		return "1688 did not say which account authorized it"
	case declared != "" && !slices.Contains(accounts, declared):
		return fmt.Sprintf("authorized by %s, and not by the declared account %s", strings.Join(accounts, " / "), declared)
	}
	return ""
}
