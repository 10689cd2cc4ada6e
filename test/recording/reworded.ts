/** Messages of Belfry (not of AWS) that were reworded since the recording, each before and after the change. */
export const REWORDED: readonly (readonly [before: string, after: string])[] = [];
