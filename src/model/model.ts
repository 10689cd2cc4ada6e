/**
 * The published service models as data. Owns their compact form; knows nothing of HTTP.
 * The files in `generated/` are written by `npm run generate` and follow these types.
 */

/** Our name of a service: the folder in `services/`, the file in `generated/`, the base path `/_<service>`. */
export const SERVICE_NAMES = [
  'chime',
  'chime-sdk-identity',
  'chime-sdk-meetings',
  'chime-sdk-messaging',
  'chime-sdk-media-pipelines',
  'chime-sdk-voice',
  'iam',
  'sts',
  'cloudtrail',
  'events',
  'cloudwatch',
  'accessanalyzer',
  'organizations',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** An input or output without members. */
export type Empty = Readonly<Record<string, never>>;

/** The published names of protocols. `json` is awsJson 1.0 or 1.1, by `jsonVersion`. */
export type ProtocolName = 'rest-json' | 'query' | 'json' | 'smithy-rpc-v2-cbor';

export interface ServiceModel {
  readonly service: ServiceName;
  readonly apiVersion: string;
  /** `Chime SDK Meetings`: what clients call the service in their User-Agent. */
  readonly serviceId: string;
  /** The first is the default. */
  readonly protocols: readonly ProtocolName[];
  readonly jsonVersion?: string;
  readonly targetPrefix?: string;
  readonly xmlNamespace?: string;
  /** The service name in a credential scope: `chime`, `iam`, `monitoring` … */
  readonly signingName: string;
  /** First label of the host: `meetings-chime`. */
  readonly endpointPrefix: string;
  readonly operations: Readonly<Record<string, OperationModel>>;
  /** What the service had once and clients of that time still send: without inputs and outputs, because nothing runs. Only `chime` has any. */
  readonly removed: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Package and model versions this file was made from. */
  readonly provenance: readonly string[];
}

export interface OperationModel {
  readonly name: string;
  readonly http: { readonly method: string; readonly uri: string; readonly code: number };
  readonly input?: string;
  readonly output?: string;
  /** Query protocol: the element around the output. */
  readonly resultWrapper?: string;
  readonly errors: readonly string[];
  /** True where nobody signs: AssumeRoleWithSAML, AssumeRoleWithWebIdentity. */
  readonly unsigned?: true;
  /** True where it changes nothing: `readOnly` of the trail. From the authorization reference's access level, else from the verb. */
  readonly readOnly: boolean;
  readonly deprecated?: true;
}

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

export interface Shape {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  /** Exactly one member may be given. */
  readonly union?: true;
  /** List: its member. Map: its values. */
  readonly member?: Member;
  readonly key?: Member;
  readonly min?: number;
  readonly max?: number;
  /** As published (Java, full match); `patterns.ts` has the safe, compiled form. */
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: true;
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
  readonly error?: { readonly status: number; readonly code?: string; readonly senderFault?: boolean };
}

/** A use of a shape, with where it is written on the wire. */
export interface Member {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header';
  readonly locationName?: string;
  readonly flattened?: true;
  readonly idempotencyToken?: true;
  readonly sensitive?: true;
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
}
