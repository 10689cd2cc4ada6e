/**
 * The published service models as data. Owns their compact form, but not their use in HTTP.
 * `npm run generate` writes the files in `generated/`, which have these types.
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
  /** Operations that AWS removed and old clients still call. They have no inputs and outputs. Only `chime` has such operations. */
  readonly removed: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Versions of the packages and models that are the source of this file. */
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
  /** True for operations without a signature: AssumeRoleWithSAML, AssumeRoleWithWebIdentity. */
  readonly unsigned?: true;
  /**
   * Whether the operation changes nothing: `readOnly` of the trail event.
   * Derived from the access level in the authorization reference, or from the verb in the name if the reference has no access level.
   */
  readonly readOnly: boolean;
  readonly deprecated?: true;
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
  readonly error?: { readonly status: number; readonly code?: string; readonly senderFault?: boolean };
}

/** Member of a shape, with its location in the request or response. */
export interface Member {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header';
  readonly locationName?: string;
  readonly flattened?: true;
  readonly idempotencyToken?: true;
  readonly sensitive?: true;
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
}
