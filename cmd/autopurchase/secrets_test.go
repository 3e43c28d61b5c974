package main

// What must never be seen where it does not belong.
const (
	markerSecret = "MarkedSecret7f3a"
	markerToken  = "MarkedRefresh91c2"
)
