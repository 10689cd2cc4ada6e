/** Returns a number with its noun: `1 request`, `2 requests`. Only for nouns whose plural ends with `s`. */
export function counted(count: number, noun: string): string {
  return `${count} ${nounFor(count, noun)}`;
}

/** Returns a noun in the form for a number: `request` for 1, and otherwise `requests`. Only for nouns whose plural ends with `s`. */
export function nounFor(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}
