/** Messages of our own that were reworded since the recording: before and after. */
export const REWORDED: readonly (readonly [before: string, after: string])[] = [];
