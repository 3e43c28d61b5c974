package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"autopurchase/worker"
)

// span is how long something takes, in words.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// number is what is counted.
type number interface{ ~int | ~int64 | ~uint64 }

// count writes a number with narrow gaps between thousands.
func count[N number](n N) string {
	digits := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var out []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		out = append([]string{digits[len(digits)-3:]}, out...)
	}
	return sign + strings.Join(append([]string{digits}, out...), "\u202f")
}

// plural writes a number and what it counts.
func plural[N number](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// perMinute writes a rate that is given by the second.
func perMinute(perSecond float64) string {
	switch rate := perSecond * 60; {
	case rate == 0:
		return "0"
	case rate < 10:
		return strconv.FormatFloat(rate, 'f', 1, 64)
	default:
		return count(int64(rate + 0.5))
	}
}

func join(items []string) string { return strings.Join(items, ", ") }

// oneLine has no ends of lines and nothing else that cannot be seen.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, text)), " ")
}

// sentence begins with a capital and ends with a stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimRight(text[size:], ".") + "."
}

var keyStates = map[string]string{
	"onboarding": "being set up", "ready": "ready", "active": "in use", "spent": "used up", "benched": "turned down by 1688",
	"stopped":  "stopped by risk control",
	"disabled": "switched off", "retired": "retired", "removed": "removed",
}

// keyState says a key's state in everyday words.
func keyState(state string) string {
	if said, ok := keyStates[state]; ok {
		return said
	}
	return state
}

var lifeStates = map[worker.LifeState]string{
	worker.LifeWaiting: "waiting", worker.LifePlaced: "ordered", worker.LifePartial: "partly ordered", worker.LifeRefused: "refused",
	worker.LifeCancelled: "cancelled", worker.LifeUnknown: "needs a person",
}

// lifeState says a request's state in everyday words.
func lifeState(state worker.LifeState) string {
	if said, ok := lifeStates[state]; ok {
		return said
	}
	return string(state)
}

// orderStates are our words and 1688's for how an order is.
var orderStates = map[string]string{
	"ordered": "waits to be paid", "paid": "paid, waits to be sent", "shipped_in_part": "partly on its way", "shipped": "on its way", "received": "received", "finished": "done",
	"closed_by_buyer": "cancelled by the buyer", "closed_by_seller": "cancelled by the seller", "closed_by_platform": "ended by 1688", "closed": "closed", "refunded": "refunded",
	"waitbuyerpay": "waits to be paid", "waitsellersend": "paid, waits to be sent", "waitlogisticstakein": "handed to the carrier",
	"waitbuyerreceive": "on its way", "waitbuyersign": "on its way", "signinsuccess": "received", "confirm_goods": "received",
	"success": "done", "cancel": "cancelled", "terminated": "ended by 1688",
}

// orderStatus says the state or 1688's status of an order in everyday words, and one that is not known as it is.
func orderStatus[S ~string](status S) string {
	if said, ok := orderStates[string(status)]; ok {
		return said
	}
	return oneLine(string(status))
}

func verdict(v worker.StepVerdict) string {
	switch v {
	case worker.StepPassed:
		return "done"
	case worker.StepWaived:
		return "not needed"
	}
	return "open"
}

// codeWords writes a code as words.
func codeWords(code worker.Code) string { return strings.ReplaceAll(string(code), "_", " ") }

// stepName writes what happened as words, with a capital.
func stepName(what string) string {
	if what == "" {
		return ""
	}
	what = strings.ReplaceAll(what, "_", " ")
	return strings.ToUpper(what[:1]) + what[1:]
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// lineNumbers writes lines of a request as people count them.
func lineNumbers(lines []int) string {
	var numbers []string
	for _, line := range lines {
		numbers = append(numbers, strconv.Itoa(line+1))
	}
	return strings.Join(numbers, ", ")
}
