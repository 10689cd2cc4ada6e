/** Messages of our own that were reworded since the recording was made: before and after. */
export const REWORDED: readonly (readonly [before: string, after: string])[] = [
  ['A Username is given twice.', 'A Username occurs twice.'],
  ['is no user and no bot of the app instance.', 'is not a user or bot of the app instance.'],
  [
    'Exactly one of EngineTranscribeSettings and EngineTranscribeMedicalSettings must be given.',
    'Exactly one of EngineTranscribeSettings and EngineTranscribeMedicalSettings is required.',
  ],
  ['CallingRegions must be given.', 'CallingRegions is required.'],
  [
    'ConfigurationArn must be given where call analytics are not disabled.',
    'ConfigurationArn is required if call analytics are not disabled.',
  ],
  ['LambdaFunctionSink needs a LambdaFunctionSinkConfiguration.', 'LambdaFunctionSink requires LambdaFunctionSinkConfiguration.'],
  ['SqsQueueSink needs a SqsQueueSinkConfiguration.', 'SqsQueueSink requires SqsQueueSinkConfiguration.'],
  ['Routes or Disabled must be given.', 'Routes or Disabled is required.'],
  ['has no configuration: streaming.', 'has no StreamingConfiguration.'],
];
