package worker

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// Fingerprint digests what a request means: two requests with the same fingerprint ask for the same purchase, whatever the
// order of their fields, their blanks or the zeros of their prices. It is 22 characters of base64url.
func Fingerprint(r *Request) string {
	var scratch [1024]byte
	b := scratch[:0]
	for _, text := range [...]string{r.ID, r.Pool, r.Account, r.Alipay, r.Note, r.Flow, r.PriceTolerance, r.Pay} {
		b = appendText(b, text)
	}
	a := r.DeliverTo
	for _, text := range [...]string{
		a.AddressID, a.FullName, a.Mobile, a.Phone, a.PostCode, a.Province, a.City, a.Area, a.Town, a.Address, a.DistrictCode,
	} {
		b = appendText(b, text)
	}
	b = appendNumber(b, int64(r.MaxTotal))
	if !r.Deadline.IsZero() {
		b = appendNumber(b, r.Deadline.UnixMilli())
	}
	for _, line := range r.Lines {
		b = appendText(appendText(appendText(b, line.OfferID), line.SpecID), line.Seller)
		b = appendNumber(appendNumber(b, line.Quantity), int64(line.UnitPrice))
		if len(line.Alternatives) > 0 { // a number below 0 begins nothing else
			b = appendNumber(b, int64(-len(line.Alternatives)))
		}
		for _, a := range line.Alternatives {
			b = appendNumber(appendText(appendText(b, a.OfferID), a.SpecID), int64(a.MaxUnitPrice))
		}
	}
	if r.Preview != PreviewAsPool { // one that says nothing means what it did before this could be said
		b = appendText(b, string(r.Preview))
	}
	if !r.NotBefore.IsZero() {
		b = appendNumber(appendText(b, "not_before"), r.NotBefore.UnixMilli())
	}
	if r.HoldFor != 0 {
		b = appendNumber(appendText(b, "hold_for"), int64(r.HoldFor/time.Second))
	}
	if r.Merge {
		b = appendText(b, "merge")
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// appendText puts the length before the text, so that no two lists of texts read the same.
func appendText(b []byte, text string) []byte {
	return append(appendNumber(b, int64(len(text))), text...)
}

func appendNumber(b []byte, n int64) []byte {
	return append(strconv.AppendInt(b, n, 10), ';')
}
