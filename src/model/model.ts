/**
 * Types of the published service models, in a compact form. `wire` uses the models to decode requests and to encode
 * responses. `npm run generate` writes the models to the folder `generated`.
 */
import type { ProtocolName, ServiceName } from './services.ts';

/** Input or output without members. */
export type Empty = Readonly<Record<string, never>>;

/** Model of a service. */
export interface ServiceModel {
  readonly service: ServiceName;
  readonly apiVersion: string;
  /** Name of the service in the User-Agent of clients: `Chime SDK Meetings`. */
  readonly serviceId: string;
  /** Protocols that the service supports. The first is the default. */
  readonly protocols: readonly ProtocolName[];
  readonly jsonVersion?: string;
  readonly targetPrefix?: string;
  readonly xmlNamespace?: string;
  /** Name of the service in a credential scope: `chime`, `iam`, `monitoring` … */
  readonly signingName: string;
  /** First label of the host name: `meetings-chime`. */
  readonly endpointPrefix: string;
  readonly operations: Readonly<Record<string, OperationModel>>;
  /**
   * Operations that AWS removed and old clients still call. Their input and output shapes are not included. Only
   * `chime` has such operations.
   */
  readonly removed: Readonly<Record<string, OperationModel>>;
  /**
   * Routes of operations that this server intentionally does not have, if it has only a part of the service. Requests for them return
   * `NotImplemented`. Only `s3` has such operations.
   */
  readonly unsupported?: Readonly<Record<string, { readonly method: string; readonly uri: string }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
  /**
   * Services that have the operation of the same name today. Only the model of the operations that AWS removed from
   * `chime` has it. The three tag operations have several successors, and the ARN in the request decides.
   */
  readonly successors?: Readonly<Record<string, readonly ServiceName[]>>;
  /** Names and versions of the packages and published models from which this model was generated. */
  readonly provenance: readonly string[];
}

/** Model of an operation. */
export interface OperationModel {
  readonly name: string;
  readonly http: { readonly method: string; readonly uri: string; readonly code: number };
  readonly input?: string;
  readonly output?: string;
  /** XML element that contains the output in the query protocol. */
  readonly resultWrapper?: string;
  readonly errors: readonly string[];
  /** True for operations whose requests need no signature: AssumeRoleWithSAML, AssumeRoleWithWebIdentity. */
  readonly unsigned?: true;
  /**
   * Whether the operation changes nothing. It is the member `readOnly` of the trail event.
   * Derived from the access level in the authorization reference, or from the verb in the name if the reference has no access level.
   */
  readonly readOnly: boolean;
  /** True if a request must have a checksum of its body, in `Content-MD5` or `x-amz-checksum-*`. */
  readonly checksumRequired?: true;
  readonly deprecated?: true;
  /** True for an operation that this project adds to a service of AWS. Clients of AWS do not have it. */
  readonly own?: true;
}

/** Type of a shape. */
export type ShapeType =
  | 'structure'
  | 'list'
  | 'map'
  | 'string'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'blob';

/** Shape of a model: a named type of an input, an output or one of their members. */
export interface Shape {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  /** Member that is the whole body of the request or response: bytes, a string, or a structure in XML. */
  readonly payload?: string;
  /** True for a union, of which exactly one member is set. */
  readonly union?: true;
  /** Elements of a list, or values of a map. */
  readonly member?: Member;
  /** Keys of a map. */
  readonly key?: Member;
  readonly min?: number;
  readonly max?: number;
  /** Published pattern (Java syntax, full match). `patterns.ts` compiles it to a safe form. */
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: true;
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
  /** True for a list whose elements are always in the parent element. */
  readonly flattened?: true;
  readonly error?: { readonly status: number; readonly code?: string; readonly senderFault?: boolean };
}

/** Member of a shape, with its location in the request or response. */
export interface Member {
  readonly shape: string;
  /** `headers` is a map of all headers with the prefix `locationName`, such as `x-amz-meta-`. */
  readonly location?: 'uri' | 'querystring' | 'header' | 'headers';
  readonly locationName?: string;
  /** True for a list whose elements are in the parent element, without an element for the list. */
  readonly flattened?: true;
  /** True for a body that is read in pieces and never held in memory. */
  readonly streaming?: true;
  readonly idempotencyToken?: true;
  readonly sensitive?: true;
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
}
