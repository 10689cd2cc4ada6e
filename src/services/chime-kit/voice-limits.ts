/** Limits of Chime SDK voice and Chime SDK media pipelines, which the operator can change. */

/** Limits on the number of resources of Chime SDK voice. */
export interface VoiceLimits {
  /** Voice Connectors in one account and region. */
  readonly connectors: number;
  /** Voice Connector groups of one account, in all regions. */
  readonly groups: number;
  /** Voice Connectors in one group. */
  readonly connectorsInGroup: number;
  /** Maximum outbound telephone calls per second of one Voice Connector. */
  readonly callsPerSecond: number;
  /** SIP media applications in one account and region. */
  readonly sipMediaApplications: number;
  /** SIP rules of one account, in all regions. */
  readonly sipRules: number;
  /** SIP users of one Voice Connector. */
  readonly credentials: number;
  /** Voice profile domains in one account and region. */
  readonly profileDomains: number;
}

/**
 * AWS's values.
 *
 * Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", SIP trunking and voice quotas, and call analytics
 * quotas. Requirement RES-1 also states the limits on groups.
 * Assumed: (1) The limit on SIP rules, because CreateSipRule documents that there is a limit but not its value. (2) The
 * limit on credentials, which is the number that Terraform accepts at once.
 */
export const DEFAULT_VOICE_LIMITS: VoiceLimits = {
  connectors: 3,
  groups: 3,
  connectorsInGroup: 3,
  callsPerSecond: 1,
  sipMediaApplications: 30,
  sipRules: 100,
  credentials: 10,
  profileDomains: 3,
};

/** Largest values that the operator can set. They bound the work for a whole account, group or Voice Connector. */
export const VOICE_LIMITS_MAX: VoiceLimits = {
  connectors: 1_000,
  groups: 1_000,
  connectorsInGroup: 10,
  callsPerSecond: 1_000,
  sipMediaApplications: 1_000,
  sipRules: 1_000,
  credentials: 100,
  profileDomains: 100,
};

/** Limits on the number of resources of Chime SDK media pipelines. */
export interface PipelineLimits {
  /** Media insights pipeline configurations in one account and region. */
  readonly configurations: number;
  /** Pools of Kinesis video streams in one account and region. */
  readonly pools: number;
}

/** AWS's values. Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", call analytics and media pipeline quotas. */
export const DEFAULT_PIPELINE_LIMITS: PipelineLimits = { configurations: 100, pools: 10 };

/** Largest values that the operator can set. */
export const PIPELINE_LIMITS_MAX: PipelineLimits = { configurations: 1_000, pools: 1_000 };
