import type { AwsError } from '#core/aws-error.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ProtocolName, ServiceName } from '#model/services.ts';

/** Name and value of a query string, percent-encoded. */
export type RawPair = readonly [name: string, value: string];

/** Called operation. A client calls it over HTTP, or the server calls it itself. */
export interface CalledOperation {
  readonly kind: 'routed';
  readonly service: ServiceName;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  /** Protocol in which errors are formatted, and so the error code in the trail. */
  readonly protocol: ProtocolName;
  /**
   * Authorization profile. The profile `classic` of the service `chime` has only the resource `*` and no tag keys.
   * Requirement: security.md §0.1.
   */
  readonly profile: 'classic' | 'sdk';
}

/**
 * A request whose operation is known. Nothing in the request is verified yet. The server authorizes and runs `operation`, and never an
 * operation that only a header or the credential scope names.
 */
export interface Routed extends CalledOperation {
  /** URI labels of a rest-json request, in the order of the model's URI, still percent-encoded. */
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
  /** One of the services with the signing name of the credential scope, if `service` is absent. Used only in the trail record. */
  readonly likelyService?: ServiceName;
  /**
   * Operation as the request names it: letters and digits, at most 128. Absent if the request does not name an operation. Used only in the
   * trail record.
   */
  readonly operationName?: string;
  readonly error: AwsError;
}

/** Operation, or the known facts of an unknown one, in whose format an error is encoded. */
export type ErrorTarget = Pick<CalledOperation, 'service' | 'protocol' | 'profile' | 'model'> | RoutingRefusal;

/** Settings of the server that affect routing. */
export interface RouteSettings {
  /** Whether all six Chime services have the classic profile, as in the guide of 2021. Requirement: security.md §0.1. */
  readonly guide2021: boolean;
}
