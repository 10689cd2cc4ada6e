import type { AwsError } from '#core/aws-error.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ProtocolName, ServiceName } from '#model/services.ts';

/** Name and value of one parameter in a query string, percent-encoded. */
export type RawPair = readonly [name: string, value: string];

/** Operation that is called, over HTTP by a client or directly by the server. */
export interface CalledOperation {
  readonly kind: 'routed';
  readonly service: ServiceName;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  /** Protocol of the response. It determines the format of errors, and the error code in the trail. */
  readonly protocol: ProtocolName;
  /**
   * Authorization profile, which determines the resources and condition keys of the operation. In the profile
   * `classic`, for example of the service `chime`, the resource is always `*` and there are no condition keys for tags.
   * Requirement: security.md §0.1.
   */
  readonly profile: 'classic' | 'sdk';
}

/**
 * A request whose operation is known. Nothing in the request is verified yet. The server authorizes and runs exactly
 * `operation`, whatever other operation a header or the credential scope may suggest.
 */
export interface Routed extends CalledOperation {
  /** URI labels of a rest-json or rest-xml request, in the order of the model's URI, still percent-encoded. */
  readonly labels: readonly string[];
  /** Pairs of the query string, in the order of the request. */
  readonly query: readonly RawPair[];
  /**
   * Location of the input, in addition to labels, query string and headers. `query-string`: an awsQuery request with
   * GET, or a presigned POST. `xml`: a rest-xml request, whose body is a document, an object or a part.
   */
  readonly bodyKind: 'json' | 'form' | 'query-string' | 'cbor' | 'xml';
  readonly contentEncoding: 'identity' | 'gzip';
}

/** Request with an unknown operation. `protocol` and `service` determine how the error is encoded. */
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
  /**
   * True if the caller must be authenticated before the error is returned. Otherwise the error of the authentication is returned. Only S3
   * has such errors, because it returns `AccessDenied` for every anonymous request.
   */
  readonly authenticated?: true;
}

/**
 * Request to which an error response belongs: a called operation, or a request with an unknown operation. It determines
 * the format of the error.
 */
export type ErrorTarget = Pick<CalledOperation, 'service' | 'protocol' | 'profile' | 'model'> | RoutingRefusal;

/** Settings of the server that affect routing. */
export interface RouteSettings {
  /**
   * Whether all six Chime services have the profile `classic`, as in the Amazon Chime Administration Guide of 2021.
   * Requirement: security.md §0.1.
   */
  readonly guide2021: boolean;
  /** Whether the server serves the operations that AWS removed from `chime` and that another service has today. Default: false. */
  readonly legacyChime?: boolean;
  /** Host name whose subdomains are buckets (`BUCKET.HOST`), in lower case. Absent if clients use only paths. */
  readonly s3Host?: string;
}
