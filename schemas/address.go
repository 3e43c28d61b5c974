package schemas

import "autopurchase/worker"

// addressTable is where to deliver: address_id alone, or the texts, passed through as given. A region is not asked for,
// since Dongguan has no district and a municipality no province of another name; 1688 decides what it can ship to.
var addressTable = table[worker.Address]{
	{"address_id", optional, func(r *reader, a *worker.Address) fault { return r.matching(&a.AddressID, checkOfferID) }},
	{"full_name", optional, func(r *reader, a *worker.Address) fault { return r.filled(&a.FullName, 64) }},
	{"mobile", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.Mobile, 32) }},
	{"phone", optional, func(r *reader, a *worker.Address) fault { return r.visible(&a.Phone, 32) }},
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
	case isBlank(a.Mobile) && isBlank(a.Phone):
		return at("mobile", broken("or phone is required without an address_id"))
	case a.Address == "":
		return at("address", broken("is required without an address_id"))
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
