package validation

import (
	"fmt"
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	selectors "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkNetwork finds what the API server would refuse of a NetworkPolicy, which only Metacontroller would be told.
func (c checker) checkNetwork() string {
	if c.spec.Network == nil {
		return ""
	}
	for i := range c.spec.Network.AllowFrom {
		at := fmt.Sprintf("spec.network.allowFrom[%d]", i)
		if problem := checkPeer(at, &c.spec.Network.AllowFrom[i]); problem != "" {
			return problem
		}
	}
	return ""
}

func checkPeer(at string, p *networkingv1.NetworkPolicyPeer) string {
	if (p.IPBlock != nil) == (p.PodSelector != nil || p.NamespaceSelector != nil) {
		return at + ": each entry of spec.network.allowFrom must hold either ipBlock, or podSelector and namespaceSelector, or one of these two"
	}
	if p.IPBlock != nil {
		return checkBlock(at+".ipBlock", p.IPBlock)
	}
	problems := checkSelector(p.PodSelector, field.NewPath(at, "podSelector"))
	problems = append(problems, checkSelector(p.NamespaceSelector, field.NewPath(at, "namespaceSelector"))...)
	if len(problems) > 0 {
		return problems[0].Error()
	}
	return ""
}

func checkSelector(s *metav1.LabelSelector, at *field.Path) field.ErrorList {
	return selectors.ValidateLabelSelector(s, selectors.LabelSelectorValidationOptions{}, at)
}

func checkBlock(at string, block *networkingv1.IPBlock) string {
	cidr, err := netip.ParsePrefix(block.CIDR)
	if err != nil {
		return fmt.Sprintf("%s.cidr is %q; write a range of addresses, such as 192.0.2.0/24", at, block.CIDR)
	}
	for i, text := range block.Except {
		except, err := netip.ParsePrefix(text)
		if err != nil || except.Bits() <= cidr.Bits() || !cidr.Contains(except.Addr()) {
			return fmt.Sprintf("%s.except[%d] is %q; write a range within %s, smaller than it", at, i, text, block.CIDR)
		}
	}
	return ""
}
