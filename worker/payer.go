package worker

// Payer says which keys of a pool an order may go to.
type Payer struct {
	Account string // those of this buyer account; "" takes any
	Alipay  string // those with this kind of Alipay, AlipayBusiness; "" takes any
	Like    string // in a Trouble: those of this app key's account; "" takes any
	Unlike  string // in a Trouble: none of these app keys' accounts, with blanks between them
}

// AlipayBusiness is the kind of Alipay that some sellers ask for.
const AlipayBusiness = "business"
