package podtemplate

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// leastPatience is how long, in seconds, a container may fail a probe that ends it. To be ended is the last resort: before it, those
// that watch a master must have had their time to replace it.
const leastPatience = 60

// probeTimings returns the fields of an operator's probe that a podTemplate may have.
func probeTimings() []string {
	return []string{"initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"}
}

// checkProbes checks the timings that are written for the probes of the main container.
func (c *checker) checkProbes(at string, written object, given *corev1.Container) {
	main := c.main()
	for _, probe := range []struct {
		field       string
		ours, given *corev1.Probe
		ends        bool // the container, when it fails
	}{
		{"startupProbe", main.StartupProbe, given.StartupProbe, true},
		{"readinessProbe", main.ReadinessProbe, given.ReadinessProbe, false},
		{"livenessProbe", main.LivenessProbe, given.LivenessProbe, true},
	} {
		at, fields := at+"."+probe.field, under(written, probe.field)
		switch {
		case probe.given == nil:
			continue
		case probe.ours == nil:
			c.refuse(at, "is not there in this container; leave it out")
			continue
		}
		for _, field := range others(fields, probeTimings()) {
			c.refuse(at+"."+field, "must stay the operator's; of a probe write %s alone", strings.Join(probeTimings(), ", "))
		}
		c.checkTimings(at, fields, probe.ours, probe.given, probe.ends)
	}
}

func (c *checker) checkTimings(at string, written object, ours, given *corev1.Probe, ends bool) {
	merged := func(field string, ours, given int32) int32 {
		if _, ok := written[field]; ok {
			return given
		}
		return ours
	}
	period, failures := merged("periodSeconds", ours.PeriodSeconds, given.PeriodSeconds), merged("failureThreshold", ours.FailureThreshold, given.FailureThreshold)
	successes := merged("successThreshold", 1, given.SuccessThreshold)
	switch {
	case given.InitialDelaySeconds < 0 || period < 1 || failures < 1 || successes < 1 || merged("timeoutSeconds", 1, given.TimeoutSeconds) < 1:
		c.refuse(at, "has a number below 1 (initialDelaySeconds: below 0); write a higher one or leave it out")
	case ends && successes != 1:
		c.refuse(at+".successThreshold", "is %d; write 1, or leave it out", successes)
	case ends && int64(period)*int64(failures) < leastPatience:
		c.refuse(at, "would end a container after %d s (periodSeconds times failureThreshold), before its master could be replaced; write numbers that give at least %d s", int64(period)*int64(failures), leastPatience)
	}
}
