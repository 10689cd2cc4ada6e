import type { ServiceName } from '#model/services.ts';

/** Properties of trail records that differ among services of AWS. */
export interface ServiceForm {
  readonly eventVersion: '1.08' | '1.09';
  /** True if a record contains `resources`. LookupEvents finds a record by its resources even if this is false. */
  readonly namesResources: boolean;
  /** Replacement of a secret. If it is absent, the record omits the member. */
  readonly hidden?: string;
  /** String between the date and the time of a timestamp in `responseElements` and `requestParameters`. */
  readonly afterDate: ' ' | ', ';
}

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/**
 * Formats of records, for the services whose format differs from `OTHER`.
 *
 * Source: CloudTrail records of AWS, in DataDog/stratus-red-team, docs/attack-techniques/AWS: `iam-create-admin-user`,
 * `iam-create-user-login-profile`, `organizations-leave` and `sts-federation-token`, recorded from August to November
 * 2024. Chime SDK Developer Guide, "Sending media pipeline events to CloudTrail": the constant for secrets. AWS
 * Organizations User Guide, "Log entries: CreateAccount", and panther-labs/panther-analysis, a record of 2021: `****`.
 * Assumed: records of S3 have the version of IAM's. Those of 2025 have 1.11, whose additional fields Belfry does not write.
 */
// biome-ignore format: a table
const FORMS: Partial<Readonly<Record<ServiceName, ServiceForm>>> = {
  'iam':                       { eventVersion: '1.09', namesResources: false,                                          afterDate: ' '  },
  'organizations':             { eventVersion: '1.09', namesResources: true,  hidden: '****',                          afterDate: ' '  },
  'sts':                       { eventVersion: '1.08', namesResources: true,                                           afterDate: ', ' },
  's3':                        { eventVersion: '1.09', namesResources: true,  hidden: HIDDEN,                          afterDate: ' '  },
  'chime-sdk-media-pipelines': { eventVersion: '1.08', namesResources: true,  hidden: 'Hidden_For_Security_Reasons',   afterDate: ' '  },
};

/** Format of all other records. Assumed: it is the format of the older records that the guides of Chime quote. */
const OTHER: ServiceForm = { eventVersion: '1.08', namesResources: true, hidden: HIDDEN, afterDate: ' ' };

/** Returns the format of the records of a service, or of requests that name no service. */
export function serviceForm(service: ServiceName | undefined): ServiceForm {
  return (service && FORMS[service]) ?? OTHER;
}

/**
 * Returns the error code of a record for the code in the response.
 *
 * Source: DataDog/stratus-red-team, `organizations-leave`: a denial of Organizations is `AccessDenied`, and its response has
 * `AccessDeniedException`.
 */
export function recordedErrorCode(service: ServiceName | undefined, code: string): string {
  return service === 'organizations' && code === 'AccessDeniedException' ? 'AccessDenied' : code;
}
