/** Returns a number with its noun: `1 request`, `2 requests`. Only for nouns whose plural ends with `s`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
