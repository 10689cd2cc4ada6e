/** Settings for Amazon Transcribe in call analytics. Checks that they do not contradict each other. */
import { AwsError } from './errors.ts';

/** All settings of the two Transcribe processors. Each processor has some of these members. */
export interface TranscribeSettings {
  readonly LanguageCode?: string;
  readonly IdentifyLanguage?: boolean;
  readonly IdentifyMultipleLanguages?: boolean;
  readonly LanguageOptions?: string;
  readonly PreferredLanguage?: string;
  readonly VocabularyName?: string;
  readonly VocabularyFilterName?: string;
  readonly VocabularyNames?: string;
  readonly VocabularyFilterNames?: string;
  readonly ContentIdentificationType?: string;
  readonly ContentRedactionType?: string;
  readonly PiiEntityTypes?: string;
  readonly PartialResultsStability?: string;
  readonly EnablePartialResultsStabilization?: boolean;
}

/**
 * Checks that the settings of a Transcribe processor are complete and do not contradict each other.
 *
 * Source: Chime SDK API reference, AmazonTranscribeProcessorConfiguration,
 * AmazonTranscribeCallAnalyticsProcessorConfiguration.
 * Assumed: (1) The wording of the error messages. (2) The rules for IdentifyLanguage also apply to
 * IdentifyMultipleLanguages.
 * @throws BadRequestException a required setting is absent, or settings contradict each other
 */
export function requireTranscribeSettings(settings: TranscribeSettings): void {
  for (const [message, applies] of contradictions(settings)) {
    if (applies) throw new AwsError('BadRequestException', message);
  }
}

// biome-ignore format: a table
function contradictions(settings: TranscribeSettings): readonly [message: string, applies: boolean][] {
  const { LanguageCode, IdentifyLanguage = false, IdentifyMultipleLanguages = false, LanguageOptions, PreferredLanguage } = settings;
  const { VocabularyName, VocabularyFilterName, VocabularyNames, VocabularyFilterNames } = settings;
  const { ContentIdentificationType, ContentRedactionType, PiiEntityTypes, PartialResultsStability, EnablePartialResultsStabilization = false } = settings;
  const identifies = IdentifyLanguage || IdentifyMultipleLanguages;
  return [
    ['LanguageCode is required unless IdentifyLanguage or IdentifyMultipleLanguages is true.',                              LanguageCode === undefined && !identifies],
    ['LanguageCode is not valid if IdentifyLanguage or IdentifyMultipleLanguages is true.',                                 LanguageCode !== undefined && identifies],
    ['IdentifyLanguage and IdentifyMultipleLanguages cannot both be true.',                                                 IdentifyLanguage && IdentifyMultipleLanguages],
    ['LanguageOptions is valid only if IdentifyLanguage or IdentifyMultipleLanguages is true.',                             LanguageOptions !== undefined && !identifies],
    ['PreferredLanguage is valid only with LanguageOptions, and if IdentifyLanguage or IdentifyMultipleLanguages is true.', PreferredLanguage !== undefined && (!identifies || LanguageOptions === undefined)],
    ['VocabularyName is not valid if IdentifyLanguage or IdentifyMultipleLanguages is true.',                               VocabularyName !== undefined && identifies],
    ['VocabularyFilterName is not valid if IdentifyLanguage or IdentifyMultipleLanguages is true.',                         VocabularyFilterName !== undefined && identifies],
    ['VocabularyNames is valid only if IdentifyLanguage or IdentifyMultipleLanguages is true.',                             VocabularyNames !== undefined && !identifies],
    ['VocabularyFilterNames is valid only if IdentifyLanguage or IdentifyMultipleLanguages is true.',                       VocabularyFilterNames !== undefined && !identifies],
    ['ContentIdentificationType and ContentRedactionType cannot both be set.',                                              ContentIdentificationType !== undefined && ContentRedactionType !== undefined],
    ['PiiEntityTypes requires ContentIdentificationType or ContentRedactionType.',                                          PiiEntityTypes !== undefined && ContentIdentificationType === undefined && ContentRedactionType === undefined],
    ['PartialResultsStability requires EnablePartialResultsStabilization.',                                                 PartialResultsStability !== undefined && !EnablePartialResultsStabilization],
  ];
}
