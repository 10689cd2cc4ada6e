/** Settings that Amazon Transcribe takes, in meetings and in call analytics: what in them contradicts itself. */
import { AwsError } from '#core/aws-error.ts';

/** The members that the models' settings have in common; each of them has some. */
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
 * Source: Chime SDK API reference, EngineTranscribeSettings, AmazonTranscribeProcessorConfiguration,
 * AmazonTranscribeCallAnalyticsProcessorConfiguration.
 * Assumed: the texts; that several languages are identified under the rules for one.
 * @throws BadRequestException they contradict themselves
 */
export function requireTranscribeSettings(settings: TranscribeSettings): void {
  for (const [says, holds] of contradictions(settings)) {
    if (holds) throw new AwsError('BadRequestException', says);
  }
}

// biome-ignore format: a table
function contradictions(settings: TranscribeSettings): readonly [says: string, holds: boolean][] {
  const { LanguageCode, IdentifyLanguage = false, IdentifyMultipleLanguages = false, LanguageOptions, PreferredLanguage } = settings;
  const { VocabularyName, VocabularyFilterName, VocabularyNames, VocabularyFilterNames } = settings;
  const { ContentIdentificationType, ContentRedactionType, PiiEntityTypes, PartialResultsStability, EnablePartialResultsStabilization = false } = settings;
  const identifies = IdentifyLanguage || IdentifyMultipleLanguages;
  return [
    ['LanguageCode must be given, or languages be identified.',                   LanguageCode === undefined && !identifies],
    ['LanguageCode must not be given where languages are identified.',            LanguageCode !== undefined && identifies],
    ['IdentifyLanguage and IdentifyMultipleLanguages exclude each other.',        IdentifyLanguage && IdentifyMultipleLanguages],
    ['LanguageOptions needs languages to be identified.',                         LanguageOptions !== undefined && !identifies],
    ['PreferredLanguage needs languages to be identified among LanguageOptions.', PreferredLanguage !== undefined && (!identifies || LanguageOptions === undefined)],
    ['VocabularyName must not be given where languages are identified.',          VocabularyName !== undefined && identifies],
    ['VocabularyFilterName must not be given where languages are identified.',    VocabularyFilterName !== undefined && identifies],
    ['VocabularyNames needs languages to be identified.',                         VocabularyNames !== undefined && !identifies],
    ['VocabularyFilterNames needs languages to be identified.',                   VocabularyFilterNames !== undefined && !identifies],
    ['ContentIdentificationType and ContentRedactionType exclude each other.',    ContentIdentificationType !== undefined && ContentRedactionType !== undefined],
    ['PiiEntityTypes needs ContentIdentificationType or ContentRedactionType.',   PiiEntityTypes !== undefined && ContentIdentificationType === undefined && ContentRedactionType === undefined],
    ['PartialResultsStability needs EnablePartialResultsStabilization to be true.', PartialResultsStability !== undefined && !EnablePartialResultsStabilization],
  ];
}
