/** Messages of our own that were reworded since the recording was made: before and after. */
export const REWORDED: readonly (readonly [before: string, after: string])[] = [
  ['A Username is given twice.', 'A Username occurs twice.'],
  ['CallingRegions must be given.', 'CallingRegions is required.'],
  [
    'ConfigurationArn must be given where call analytics are not disabled.',
    'ConfigurationArn is required if call analytics are not disabled.',
  ],
  ['Routes or Disabled must be given.', 'Routes or Disabled is required.'],
  ['has no configuration: streaming.', 'has no StreamingConfiguration.'],
  ['The text holds a character that no policy may hold.', 'A policy cannot contain this character.'],
  ['column 0: A value is missing.', 'column 0: Expected a value.'],
  ['column 0: A policy needs a Statement.', 'column 0: A policy must have a Statement.'],
];
