package dashboard

import (
	"fmt"
	"strings"
	"time"

	"autopurchase/worker"
)

// chartMinutes is what the charts show.
const chartMinutes = 60

// chart is a picture of one hour: bars, a line over them, and what they say in words. Its measures are those of the picture, which
// is stretched to the room that it has.
type chart struct {
	Title   string
	Unit    string
	Top     string // what the highest mark stands for
	Bars    []bar
	Line    string // points of a line
	Words   string // the same as text
	Low     string // what the bars are
	High    string // what the line is
	Nothing bool
}

type bar struct{ X, Y, Width, Height float64 }

const (
	chartWidth  = 600.0
	chartHeight = 120.0
)

// throughput shows how many requests were decided each minute, and how many were asked for.
func throughput(minutes []worker.Minute) chart {
	c := chart{Title: "Requests finished", Unit: "each minute", Low: "finished", High: "asked for"}
	var most, asked, decided int64
	var busiest worker.Minute
	for _, m := range minutes {
		most, asked, decided = max(most, m.Asked, ended(m)), asked+m.Asked, decided+ended(m)
		if ended(m) > ended(busiest) {
			busiest = m
		}
	}
	if most == 0 {
		c.Nothing, c.Words = true, "Nothing was asked for or finished in the last hour."
		return c
	}
	c.Top = count(most)
	c.draw(minutes, float64(most), func(m worker.Minute) float64 { return float64(ended(m)) }, func(m worker.Minute) float64 { return float64(m.Asked) })
	c.Words = fmt.Sprintf("%s asked for and %s finished in the last hour", plural(asked, "request", "requests"), count(decided))
	if ended(busiest) > 0 {
		c.Words += fmt.Sprintf("; %s in the busiest minute, %s", count(ended(busiest)), ago(busiest.At))
	}
	c.Words += "."
	return c
}

// latency shows how long requests took.
func latency(minutes []worker.Minute) chart {
	c := chart{Title: "From request to result", Unit: "by the minute", Low: "half were faster", High: "nine in ten were faster"}
	var most time.Duration
	var latest worker.Minute
	for _, m := range minutes {
		most = max(most, m.Median, m.P90)
		if ended(m) > 0 {
			latest = m
		}
	}
	if most == 0 {
		c.Nothing, c.Words = true, "Nothing was finished in the last hour."
		return c
	}
	c.Top = span(most)
	c.draw(minutes, most.Seconds(), func(m worker.Minute) float64 { return m.Median.Seconds() }, func(m worker.Minute) float64 { return m.P90.Seconds() })
	c.Words = fmt.Sprintf("Lately half of the requests took less than %s, and nine in ten less than %s.", span(latest.Median), span(latest.P90))
	return c
}

// ended is how many requests came to a result in a minute.
func ended(m worker.Minute) (n int64) {
	for _, each := range m.Ended {
		n += each
	}
	return n
}

func ago(at time.Time) string {
	if minutes := int(time.Since(at).Minutes()); minutes > 0 {
		return plural(minutes, "minute", "minutes") + " ago"
	}
	return "just now"
}

// draw makes bars of one value of each minute and a line of another.
func (c *chart) draw(minutes []worker.Minute, most float64, low, high func(worker.Minute) float64) {
	width := chartWidth / float64(max(len(minutes), 1))
	height := func(value float64) float64 { return value / most * chartHeight }
	var line []string
	for i, m := range minutes {
		if h := height(low(m)); h > 0 {
			c.Bars = append(c.Bars, bar{X: round(float64(i)*width + width*0.1), Y: round(chartHeight - h), Width: round(width * 0.8), Height: round(h)})
		}
		line = append(line, fmt.Sprintf("%.1f,%.1f", (float64(i)+0.5)*width, chartHeight-height(high(m))))
	}
	c.Line = strings.Join(line, " ")
}

func round(x float64) float64 { return float64(int(x*10+0.5)) / 10 }
