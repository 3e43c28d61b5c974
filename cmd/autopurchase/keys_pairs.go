package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pairs checks a list such as a=1,b=2.
func pairs(text string) error {
	for pair := range strings.SplitSeq(text, ",") {
		if name, value, found := strings.Cut(pair, "="); text != "" && (!found || name == "" || value == "") {
			return errors.New("must be pairs such as a=1,b=2")
		}
	}
	return nil
}

// pairsOf reads it.
func pairsOf(text string) map[string]string {
	list := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if name, value, found := strings.Cut(pair, "="); found {
			list[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return list
}

// tenantWeights checks a list of tenants and their weights.
func tenantWeights(text string) error {
	if err := pairs(text); err != nil {
		return err
	}
	for _, weight := range pairsOf(text) {
		if _, err := strconv.Atoi(weight); err != nil {
			return errors.New("must give each tenant a whole number, such as acme=3,bolt=1")
		}
	}
	return nil
}

// weightsOf reads it; none are no tenants.
func weightsOf(text string) map[string]int {
	weights := map[string]int{}
	for tenant, weight := range pairsOf(text) {
		weights[tenant], _ = strconv.Atoi(weight) // it was checked
	}
	return weights
}

// orNone lets a list be none.
func orNone(check func(string) error) func(string) error {
	return func(text string) error {
		if text == "none" {
			return nil
		}
		return check(text)
	}
}

func orEverybody(tenants map[string]int) string {
	if len(tenants) == 0 {
		return "everybody"
	}
	var words []string
	for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
		words = append(words, fmt.Sprint(tenant, "=", tenants[tenant]))
	}
	return strings.Join(words, ", ")
}
