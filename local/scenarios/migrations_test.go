package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// eachMigration checks the reported moves of a cluster, of which there must be so many, all of the present spec.
func (s *scenario) eachMigration(name string, count int, check func(v1alpha1.MigrationStatus) error) error {
	cr, err := s.kvrocks(name)
	if err != nil {
		return err
	}
	if cr.Status.ObservedGeneration != cr.Generation {
		return fmt.Errorf("generation %d was observed, not %d", cr.Status.ObservedGeneration, cr.Generation)
	}
	if len(cr.Status.Migrations) != count {
		return fmt.Errorf("%d moves are reported, not %d: %+v", len(cr.Status.Migrations), count, cr.Status.Migrations)
	}
	for _, m := range cr.Status.Migrations {
		if !slices.ContainsFunc(cr.Spec.Migrate, func(wanted v1alpha1.Migration) bool {
			return wanted.Shard == m.To && slices.Contains(wanted.Slots, v1alpha1.WantedSlots(m.Slots))
		}) {
			return fmt.Errorf("of an earlier wish: %+v", m)
		}
		if err := check(m); err != nil {
			return err
		}
	}
	return nil
}

// migrated waits until so many moves are reported as done.
func (s *scenario) migrated(name string, count int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d moves of %s are done", count, name), migratedWithin, func() error {
		return s.eachMigration(name, count, func(m v1alpha1.MigrationStatus) error {
			if m.State == v1alpha1.MigrationFailed {
				require.Fail(s, "a move failed", "%+v", m)
			}
			if m.State != v1alpha1.MigrationDone {
				return fmt.Errorf("%+v", m)
			}
			return nil
		})
	})
}

// says looks for a condition of an instance whose message contains all of the texts.
func (s *scenario) says(name string, texts ...string) error {
	cr, err := s.kvrocks(name)
	if err != nil {
		return err
	}
	var seen []string
conditions:
	for _, condition := range cr.Status.Conditions {
		seen = append(seen, condition.Type+": "+condition.Message)
		for _, text := range texts {
			if !strings.Contains(condition.Message, text) {
				continue conditions
			}
		}
		return nil
	}
	return fmt.Errorf("no condition says %q: %q", texts, seen)
}
