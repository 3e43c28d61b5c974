package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"autopurchase/internal/bus"
)

// keyColumns are what a file of keys may have, and what each is for; app_key must be there.
var keyColumns = map[string]func(*bus.AddKey, string) error{
	"app_key": func(k *bus.AddKey, text string) error { k.AppKey = text; return nil },
	"account": func(k *bus.AddKey, text string) error { k.Account = text; return nil },
	"alipay":  func(k *bus.AddKey, text string) error { k.Alipay = text; return nil },
	"source":  func(k *bus.AddKey, text string) error { k.Source = text; return nil },
	"pool":    func(k *bus.AddKey, text string) error { k.Pool = text; return nil },
	"limit": func(k *bus.AddKey, text string) error {
		limit, err := strconv.ParseInt(text, 10, 64)
		if err != nil || limit < 1 {
			return fmt.Errorf("limit: must be a whole number from 1 to %d", maxProducts)
		}
		k.Limit = limit
		return nil
	},
}

// keyLine is one line of a file of keys: a key, or what is wrong with it.
type keyLine struct {
	line int // from 1
	key  bus.AddKey
	err  error
}

// readKeyFile reads a CSV file with a header. Every line stands for itself, so that one that cannot be read, such as one with a
// quote that is never closed, does not take others along. What is left out of a line is left to the pool, or is the pool's name.
// Errors are about the file as a whole.
func readKeyFile(in io.Reader, pool string) ([]keyLine, error) {
	buffered := bufio.NewReader(in)
	var columns []string
	var lines []keyLine
	places := map[string]int{} // where a key stands
	for number := 1; ; number++ {
		text, err := readLine(buffered)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errLongLine) {
			return nil, err
		}
		end := errors.Is(err, io.EOF)
		line := strings.TrimPrefix(string(text), "\ufeff") // spreadsheets begin a file with it
		switch {
		case errors.Is(err, errLongLine):
			lines = append(lines, keyLine{line: number, err: err})
		case line == "":
		case columns == nil:
			if columns, err = keyHeader(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
		default:
			key, err := parseKey(columns, line, pool)
			if first, twice := places[key.Pool+"/"+key.AppKey]; err == nil && twice {
				err = fmt.Errorf("app_key: is on line %d already", first)
			} else if err == nil {
				places[key.Pool+"/"+key.AppKey] = number
			}
			lines = append(lines, keyLine{number, key, err})
		}
		if end {
			break
		}
	}
	if columns == nil {
		return nil, errors.New("has no header, such as app_key,limit,account,alipay,source,pool")
	}
	return lines, nil
}

func keyHeader(line string) ([]string, error) {
	columns, err := fields(line)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for i, name := range columns {
		if keyColumns[name] == nil {
			wrong = append(wrong, fmt.Errorf("column %q is none of app_key, limit, account, alipay, source and pool", name))
		} else if slices.Contains(columns[:i], name) {
			wrong = append(wrong, fmt.Errorf("column %q is there twice", name))
		}
	}
	if !slices.Contains(columns, "app_key") {
		wrong = append(wrong, errors.New("column \"app_key\" is missing"))
	}
	return columns, errors.Join(wrong...)
}

func parseKey(columns []string, line, pool string) (key bus.AddKey, err error) {
	key.Pool = pool
	values, err := fields(line)
	if err != nil {
		return key, err
	}
	if len(values) != len(columns) {
		return key, fmt.Errorf("has %d fields, and the header %d", len(values), len(columns))
	}
	for i, value := range values {
		if value != "" {
			err = errors.Join(err, keyColumns[columns[i]](&key, value))
		}
	}
	return key, err
}

// fields cuts one line.
func fields(line string) ([]string, error) {
	if !utf8.ValidString(line) {
		return nil, errors.New("is not valid UTF-8")
	}
	values, err := csv.NewReader(strings.NewReader(line)).Read()
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, fmt.Errorf("cannot be read as CSV: %w", wrong.Err)
	}
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	return values, err
}
