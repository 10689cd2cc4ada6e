/** Answers of Lex V2 bots, as the server stores them until the app instance bot has sent them. */

/** Message of an answer, with the member names that channel members see. */
export interface LexMessage {
  readonly Content?: string;
  /** `PlainText`, `SSML`, `CustomPayload` or `ImageResponseCard`. */
  readonly ContentType: string;
  readonly ImageResponseCard?: {
    readonly Title: string;
    readonly Subtitle?: string;
    readonly ImageUrl?: string;
    readonly Buttons?: readonly { readonly Text: string; readonly Value: string }[];
  };
}

/** Answer of a bot: at most `LEX_MESSAGES_MAX` messages, and the intent that the session is in. */
export interface LexAnswer {
  readonly messages: readonly LexMessage[];
  readonly intentName?: string;
  readonly intentState?: string;
}

/** Most messages of one answer. Source: Lex V2 Developer Guide, "Quotas": 5 messages of a response. */
export const LEX_MESSAGES_MAX = 5;
