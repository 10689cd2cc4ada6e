import { loadModel } from '#model/load.ts';
import type { Member, OperationModel, ServiceModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import { sdkClient } from '../kit/clients.ts';
import { type SampleForm, sample, withCanonicalArns } from '../wire/samples.ts';

/** Calls every operation that the SDK clients have, with a valid input. */

/** Result of a call. */
export interface Outcome {
  /** `ok`, or the name of the error. */
  readonly code: string;
  readonly message: string;
  /** HTTP status. Undefined if there was no response. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly output?: unknown;
}

interface Metadata {
  readonly httpStatusCode?: number;
  readonly requestId?: string;
}

/** A request before the client signs it. */
export interface Unsigned {
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

interface AnyClient {
  send(command: object): Promise<{ readonly $metadata: Metadata }>;
  readonly middlewareStack: {
    addRelativeTo(middleware: (next: Next) => Next, where: { relation: 'before'; toMiddleware: string; name: string }): void;
  };
}
type Next = (sent: { readonly request: Unsigned }) => Promise<object>;

/** Returns a function that calls operations of a service by name. `alter` changes each request before the client signs it. */
export function caller(
  service: ServiceName,
  settings: object,
  alter?: (request: Unsigned) => void,
): (operation: string, input: unknown) => Promise<Outcome> {
  const { Client, from } = sdkClient<AnyClient>(service);
  const client = new Client(settings);
  if (alter) {
    const altering =
      (next: Next): Next =>
      (sent) => {
        alter(sent.request);
        return next(sent);
      };
    client.middlewareStack.addRelativeTo(altering, {
      relation: 'before',
      toMiddleware: 'httpSigningMiddleware',
      name: 'alterBeforeSigning',
    });
  }
  return async (operation, input) => {
    const Command = from[`${operation}Command`] as new (input: unknown) => object;
    try {
      const output = await client.send(new Command(input));
      return { code: 'ok', message: '', status: output.$metadata.httpStatusCode, requestId: output.$metadata.requestId, output };
    } catch (error) {
      const { name, message, $metadata } = error as Error & { readonly $metadata?: Metadata };
      return { code: name, message, status: $metadata?.httpStatusCode, requestId: $metadata?.requestId };
    }
  };
}

/** Schema of an operation in a client. Its fourth element has the traits, or is a number if there are none. */
type OperationSchema = readonly [kind: number, namespace: string, name: string, traits: { readonly endpoint?: unknown } | number];

/**
 * Returns the operations of a service that its SDK client can send to a test server. Omits operations that the client does not have, and
 * operations that it sends to another host, such as `stream-` before the host name of the server: a server at an IP address has no such
 * host. These are the operations with event streams, which this server does not implement.
 */
export function operationsOf(service: ServiceName): readonly OperationModel[] {
  const { from } = sdkClient(service);
  function hasHostPrefix(operation: string): boolean {
    const traits = (from[`${operation}$`] as OperationSchema | undefined)?.[3];
    return typeof traits === 'object' && traits.endpoint !== undefined;
  }
  return Object.values(loadModel(service).operations).filter(({ name }) => from[`${name}Command`] !== undefined && !hasHostPrefix(name));
}

const CLIENT_FORM: SampleForm = {
  timestamp: (milliseconds) => new Date(milliseconds),
  milliseconds: Date.UTC(2026, 0, 2),
  blob: (bytes) => bytes,
  elements: 1,
};

/** Returns a valid input of an operation, with ARNs in `accountId`. `write` replaces strings, depending on the name of the member. */
export function inputFor(
  service: ServiceName,
  operation: OperationModel,
  accountId: string,
  write: (text: string, member: string) => string = (text) => text,
): unknown {
  const model = loadModel(service);
  if (operation.input === undefined) return {};
  const use: Member = { shape: operation.input };
  const valid = sample(model, use, CLIENT_FORM) as Record<string, unknown> | undefined;
  if (valid === undefined)
    throw new Error(`no valid sample for ${service} ${operation.name}; add strings at the end of TEXTS in test/wire/samples.ts`);
  const filled = withCanonicalArns(model, operation, valid);
  // With an EndpointId, the EventBridge client would sign with SigV4a, which requires a separate package.
  if (operation.name === 'PutEvents') delete filled['EndpointId'];
  return rewritten(model, use, filled, '', (text, member) => write(text.replaceAll('111122223333', accountId), member));
}

function rewritten(
  model: ServiceModel,
  use: Member,
  value: unknown,
  name: string,
  write: (text: string, member: string) => string,
): unknown {
  const shape = model.shapes[use.shape];
  if (shape === undefined || value === undefined) return value;
  if (typeof value === 'string') return write(value, name);
  if (Array.isArray(value)) return value.map((each) => rewritten(model, shape.member as Member, each, name, write));
  if (shape.type === 'map') {
    return Object.fromEntries(
      Object.entries(value as object).map(([key, each]) => [key, rewritten(model, shape.member as Member, each, name, write)]),
    );
  }
  if (shape.type !== 'structure') return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([each, inner]) => [each, rewritten(model, shape.members?.[each] as Member, inner, each, write)]),
  );
}
