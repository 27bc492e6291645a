package host

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

// EnsureBridge creates the bridge that joins the pods, with its address and the route to Services, or completes it.
func EnsureBridge() error {
	if err := checkAddressesFree(); err != nil {
		return err
	}
	link, err := netlink.LinkByName(layout.Bridge)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = layout.Bridge
		// A fixed address of the locally administered range: otherwise the bridge changes its own with every pod, and
		// neighbours keep a stale one.
		attrs.HardwareAddr = net.HardwareAddr{0x0a, 0x58, 0x0a, 0xf4, 0x00, 0x01}
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
			return fmt.Errorf("create the bridge %s: %w", layout.Bridge, err)
		}
		link, err = netlink.LinkByName(layout.Bridge)
	}
	if err != nil {
		return fmt.Errorf("find the bridge %s: %w", layout.Bridge, err)
	}

	_, pods, err := net.ParseCIDR(layout.PodCIDR)
	if err != nil {
		return fmt.Errorf("parse the pods' network: %w", err)
	}
	_, services, err := net.ParseCIDR(layout.ServiceCIDR)
	if err != nil {
		return fmt.Errorf("parse the Services' network: %w", err)
	}
	address := net.ParseIP(layout.BridgeAddress)
	if err := netlink.AddrReplace(link, &netlink.Addr{IPNet: &net.IPNet{IP: address, Mask: pods.Mask}}); err != nil {
		return fmt.Errorf("give %s its address: %w", layout.Bridge, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", layout.Bridge, err)
	}
	// Lets the machine itself reach ClusterIPs, even without a default route, and keeps packets to unused ones inside.
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: services, Src: address, Scope: netlink.SCOPE_LINK}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("route Services to %s: %w", layout.Bridge, err)
	}
	return nil
}

// checkAddressesFree fails if another interface already uses addresses of ours.
func checkAddressesFree() error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list network interfaces: %w", err)
	}
	for _, link := range links {
		if link.Attrs().Name == layout.Bridge {
			continue
		}
		addresses, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil {
			return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
		}
		for _, address := range addresses {
			for _, ours := range []string{layout.PodCIDR, layout.ServiceCIDR} {
				_, network, err := net.ParseCIDR(ours)
				if err != nil {
					return fmt.Errorf("parse %s: %w", ours, err)
				}
				if network.Contains(address.IP) {
					return fmt.Errorf("%s has the address %s, but the local cluster needs the network %s for itself",
						link.Attrs().Name, address.IP, ours)
				}
			}
		}
	}
	return nil
}

// RemoveBridge removes the bridge and the pods' interfaces on it.
func RemoveBridge() error {
	bridge, err := netlink.LinkByName(layout.Bridge)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the bridge %s: %w", layout.Bridge, err)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list network interfaces: %w", err)
	}
	for _, link := range links {
		if link.Attrs().MasterIndex != bridge.Attrs().Index {
			continue
		}
		// It may go away by itself, together with its pod's network namespace.
		if err := netlink.LinkDel(link); err != nil && linkExists(link.Attrs().Name) {
			return fmt.Errorf("remove the pod interface %s: %w", link.Attrs().Name, err)
		}
	}
	if err := netlink.LinkDel(bridge); err != nil {
		return fmt.Errorf("remove the bridge %s: %w", layout.Bridge, err)
	}
	return nil
}

func linkExists(name string) bool {
	_, err := netlink.LinkByName(name)
	return err == nil
}
