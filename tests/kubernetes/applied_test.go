package kubernetes_test

import "testing"

func TestEveryObjectIsAppliedStrictlyAndGoesAway(t *testing.T) {
	c := connect(t)
	each(t, func(t *testing.T, x *target) {
		nothingIsLeft := c.leavesNothing(t)
		x.create(t, c)
		if c.complete {
			t.Log(c.kubectl(t, "-n notes get all,pdb,hpa"))
		}
		x.remove(t, c)
		nothingIsLeft()
	})
}
