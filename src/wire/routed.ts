import type { AwsError } from '#core/aws-error.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ProtocolName, ServiceName } from '#model/services.ts';

/** A name and a value of a query string, both still percent-encoded. */
export type RawPair = readonly [name: string, value: string];

/** An operation that is called, over HTTP or by the server itself. */
export interface CalledOperation {
  readonly kind: 'routed';
  readonly service: ServiceName;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  /** Protocol in which errors are formatted, and so the error code in the trail. */
  readonly protocol: ProtocolName;
  /** `classic` for the service `chime`: resources are `*`, no tag keys. Requirement: security.md §0.1. */
  readonly profile: 'classic' | 'sdk';
}

/**
 * A request whose operation is known. Nothing in it is verified yet. The server authorizes the action of `operation`, because that is
 * what will run, not the name in the credential scope or a header.
 */
export interface Routed extends CalledOperation {
  /** rest-json: the URI labels in the order of the model's URI, still percent-encoded. */
  readonly labels: readonly string[];
  /** The query string in the order sent. */
  readonly query: readonly RawPair[];
  /** Where the input is written besides labels, query string and headers. `query-string`: awsQuery by GET, or a presigned POST. */
  readonly bodyKind: 'json' | 'form' | 'query-string' | 'cbor';
  readonly contentEncoding: 'identity' | 'gzip';
}

/** A request that names no operation of ours, with what is needed to say so in the caller's own protocol. */
export interface RoutingRefusal {
  readonly kind: 'refused';
  readonly protocol: ProtocolName;
  /** Absent where not even the service is known. */
  readonly service?: ServiceName;
  /** One of the services that sign as the credential scope says, if `service` is absent. For the record only. */
  readonly likelyService?: ServiceName;
  /** Operation as the request names it: letters and digits, at most 128. Absent if it names none. For the record only. */
  readonly operationName?: string;
  readonly error: AwsError;
}

/** What an error is spelt for: an operation, or whatever little is known. */
export type Spelling = Pick<CalledOperation, 'service' | 'protocol' | 'profile' | 'model'> | RoutingRefusal;

export interface RouteSettings {
  /** Puts all six Chime services on the classic profile, as the guide of 2021 has it. Requirement: security.md §0.1. */
  readonly guide2021: boolean;
}
