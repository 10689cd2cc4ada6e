/** Messages of our own that were reworded since the recording was made: before and after. */
export const REWORDED: readonly (readonly [before: string, after: string])[] = [
  ['The next token is not valid, or was made for other parameters.', 'The next token is invalid, or belongs to other parameters.'],
  ['The meeting has 2 attendees, and may not have more.', 'The meeting has the maximum of 2 attendees.'],
  ['> is a replica itself', '> is a replica meeting'],
];
