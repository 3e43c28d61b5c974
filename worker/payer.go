package worker

// Payer says which keys of a pool an order may go to.
type Payer struct {
	Account string // those of this buyer account; "" takes any
	Alipay  string // those with this kind of Alipay, AlipayBusiness; "" takes any
}

// AlipayBusiness is the kind of Alipay that some sellers ask for.
const AlipayBusiness = "business"
