/**
 * Returns the `upgrade` of a kind whose stored members were renamed. Other members, and documents with the new names, remain as they are.
 *
 *     renamedMembers({ name: 'Name' })({ name: 'trunk', sealed: 'x' }) → { Name: 'trunk', sealed: 'x' }
 */
export function renamedMembers(
  names: Readonly<Record<string, string>>,
): (stored: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>> {
  return (stored) => Object.fromEntries(Object.entries(stored).map(([member, value]) => [names[member] ?? member, value]));
}
