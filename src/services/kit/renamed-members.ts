/**
 * Returns a function for `ResourceKind.upgrade`, which converts documents that an earlier version stored. It renames
 * members, and does not change other members or documents that have the new names.
 *
 *     renamedMembers({ name: 'Name' })({ name: 'trunk', sealed: 'x' }) → { Name: 'trunk', sealed: 'x' }
 */
export function renamedMembers(
  names: Readonly<Record<string, string>>,
): (stored: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>> {
  return (stored) => Object.fromEntries(Object.entries(stored).map(([member, value]) => [names[member] ?? member, value]));
}
