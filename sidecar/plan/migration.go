package plan

// migrate moves slots. It is called last, and only when the layout is settled.
func (c *clusterPass) migrate() {}

// migrating: a move of slots is under way, so that nothing else may change the layout but a failover.
func (c *clusterPass) migrating() bool { return false }

// slotsVerdict says whether every slot is where it is wanted.
func (c *clusterPass) slotsVerdict() (v verdict, ok bool) { return verdict{}, true }
