package schemas

import (
	"errors"
	"strings"

	"autopurchase/worker"
)

// addressTable is where to deliver: address_id alone, or the texts, passed through as given. Of the regions a province and a city
// are needed, or the district_code that stands for both; no area, since Dongguan has none. Whether they are in China, and belong
// together, 1688 decides: a street may have the name of another city.
var addressTable = table[worker.Address]{
	{"address_id", optional, func(r *reader, a *worker.Address) fault { return r.matching(&a.AddressID, checkOfferID) }},
	{"full_name", optional, func(r *reader, a *worker.Address) fault { return r.filled(&a.FullName, 64) }},
	{"mobile", optional, func(r *reader, a *worker.Address) fault { return r.number(&a.Mobile, checkMobile) }},
	{"phone", optional, func(r *reader, a *worker.Address) fault { return r.number(&a.Phone, checkPhone) }},
	{"post_code", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.PostCode, 16) }},
	{"province", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.Province, 64) }},
	{"city", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.City, 64) }},
	{"area", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.Area, 64) }},
	{"town", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.Town, 64) }},
	{"address", optional, func(r *reader, a *worker.Address) fault { return r.filled(&a.Address, 200) }},
	{"district_code", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.DistrictCode, 16) }},
}

const rowAddressID = 0 // of addressTable

func readAddress(r *reader, a *worker.Address) fault {
	seen, invalid := addressTable.readSet(r, a)
	switch {
	case invalid != nil:
		return invalid
	case seen.has(rowAddressID) && seen != 1<<rowAddressID:
		return at("address_id", broken("must stand alone, without the texts of an address"))
	case seen.has(rowAddressID):
		return nil
	case a.FullName == "":
		return at("full_name", broken("is required without an address_id"))
	case a.Mobile == "" && a.Phone == "":
		return at("mobile", broken("or phone is required without an address_id"))
	case a.Address == "":
		return at("address", broken("is required without an address_id"))
	case isBlank(a.DistrictCode) && isBlank(a.Province):
		return at("province", broken("is required without an address_id or a district_code"))
	case isBlank(a.DistrictCode) && isBlank(a.City):
		return at("city", broken("is required without an address_id or a district_code"))
	}
	return nil
}

const maxNumber = 32

var (
	errOverseas = errors.New("must be a number within China, without a country code: 1688 takes digits alone, and no + or 00 in front")
	errMobile   = errors.New("must be digits alone")
	errPhone    = errors.New("must be digits, with a hyphen between its parts at most")
)

// number takes a telephone number for which check has no objection; none is as good as left out.
func (r *reader) number(into *string, check func(string) error) fault {
	if invalid := r.visible(into, maxNumber); invalid != nil || *into == "" {
		return invalid
	}
	if overseas(*into) {
		return broken(errOverseas.Error())
	}
	if err := check(*into); err != nil {
		return broken(err.Error())
	}
	return nil
}

func overseas(number string) bool {
	return strings.HasPrefix(number, "00") || strings.ContainsAny(number, "+\uff0b")
}

func checkMobile(number string) error {
	if strings.Trim(number, "0123456789") != "" {
		return errMobile
	}
	return nil
}

func checkPhone(number string) error {
	for part := range strings.SplitSeq(number, "-") {
		if part == "" || checkMobile(part) != nil {
			return errPhone
		}
	}
	return nil
}

func appendAddress(w writer, a *worker.Address) writer {
	return w.some("address_id", a.AddressID).
		some("full_name", a.FullName).
		some("mobile", a.Mobile).
		some("phone", a.Phone).
		some("post_code", a.PostCode).
		some("province", a.Province).
		some("city", a.City).
		some("area", a.Area).
		some("town", a.Town).
		some("address", a.Address).
		some("district_code", a.DistrictCode)
}
