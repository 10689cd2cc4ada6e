/** Dependencies of the messaging operations, in addition to a call. */
export interface MessagingDeps {
  readonly limits: MessagingLimits;
  /** Host and port where clients open messaging sessions: `chat.example.org:7443`. */
  readonly sessionEndpoint: string;
}

/** Limits on the number of resources. The number of channels of an app instance is unlimited. */
export interface MessagingLimits {
  readonly membershipsOfChannel: number;
  readonly membershipsOfElasticChannel: number;
  readonly subChannels: number;
  readonly membershipsOfSubChannel: number;
  readonly moderatorsOfChannel: number;
  readonly bansOfChannel: number;
  readonly flowsOfAppInstance: number;
}

/**
 * Default limits.
 *
 * Source: Chime SDK Developer Guide, "Using elastic channels to host live events": up to a million members.
 * Assumed: the other numbers. AWS sets the limits of each account, and raises them on request ("Amazon Chime SDK
 * endpoints and quotas").
 */
export const DEFAULT_LIMITS: MessagingLimits = {
  membershipsOfChannel: 10_000,
  membershipsOfElasticChannel: 1_000_000,
  subChannels: 1_000,
  membershipsOfSubChannel: 10_000,
  moderatorsOfChannel: 1_000,
  bansOfChannel: 10_000,
  flowsOfAppInstance: 100,
};
