import type { AwsError } from '#core/aws-error.ts';
import type { OperationModel, ProtocolName, ServiceModel, ServiceName } from '#model/model.ts';

/** Name and value of a query string, percent-encoded. */
export type RawPair = readonly [name: string, value: string];

/**
 * Unverified request with a known operation. The server authorizes the action of `operation`, because it runs this operation. It does not
 * read the credential scope or a header again to choose the operation.
 */
export interface Routed {
  readonly kind: 'routed';
  readonly service: ServiceName;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  readonly protocol: ProtocolName;
  /** Authorization profile. `classic`, of the service `chime`, has only the resource `*` and no tag keys. Requirement: security.md §0.1. */
  readonly profile: 'classic' | 'sdk';
  /** URI labels of rest-json in the order of the model's URI, percent-encoded. */
  readonly labels: readonly string[];
  /** Pairs of the query string, in the order of the request. */
  readonly query: readonly RawPair[];
  /** Location of the input, in addition to labels, query string and headers. `query-string`: awsQuery with GET, or a presigned POST. */
  readonly bodyKind: 'json' | 'form' | 'query-string' | 'cbor';
  readonly contentEncoding: 'identity' | 'gzip';
}

/** Request with an unknown operation, and the facts to encode the error in the client's protocol. */
export interface RoutingRefusal {
  readonly kind: 'refused';
  readonly protocol: ProtocolName;
  /** Absent if the service is unknown too. */
  readonly service?: ServiceName;
  /** One of the services that sign as the credential scope says, if `service` is absent. For the record only. */
  readonly likelyService?: ServiceName;
  /** Operation as the request names it: letters and digits, at most 128. Absent if it names none. For the record only. */
  readonly operationName?: string;
  readonly error: AwsError;
}

/** Facts that determine the format of an error: those of an operation, or of a request with an unknown operation. */
export type ErrorTarget = Pick<Routed, 'service' | 'protocol' | 'profile' | 'model'> | RoutingRefusal;

/** Settings of the server that affect routing. */
export interface RouteSettings {
  /** Whether all six Chime services have the classic profile, as in the guide of 2021. Requirement: security.md §0.1. */
  readonly guide2021: boolean;
}

/** Six services that sign as `chime`, in the order in which an ambiguous request is matched. */
export const CHIME_SERVICES = [
  'chime-sdk-meetings',
  'chime-sdk-messaging',
  'chime-sdk-identity',
  'chime-sdk-voice',
  'chime-sdk-media-pipelines',
  'chime',
] as const satisfies readonly ServiceName[];

/** Reports whether a service is one of the six. */
export function isChime(service: ServiceName): boolean {
  return service === 'chime' || service.startsWith('chime-');
}
