/** `belfry chime OPERATION …`: signed calls of the operations that this server adds to Amazon Chime. */
import { readFileSync } from 'node:fs';
import { loadModel } from '#model/load.ts';
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import { SECRET_MEMBERS } from '#model/secret-members.ts';
import { type Flag, FlagError } from '#server/flags.ts';
import type { Subcommand } from './command.ts';
import { type Caller, type CallResponse, callerOf, callOwn, ENDPOINT, PROFILE } from './own-call.ts';

/** Calls an own operation of Amazon Chime with its input as JSON. */
export function callChime(caller: Caller, operation: Pick<OperationModel, 'http'>, input: object): Promise<CallResponse> {
  return callOwn(caller, 'chime', operation, input);
}

/** Returns a subcommand for each own operation of Amazon Chime, by its name in kebab-case. */
export function ownOperationCommands(): Readonly<Record<string, Subcommand>> {
  const model = loadModel('chime');
  const own = Object.values(model.operations).filter((operation) => operation.own === true);
  return Object.fromEntries(
    own.map((operation) => {
      const name = operation.http.uri.slice(operation.http.uri.lastIndexOf('/') + 1);
      return [name, command(model, operation, name)];
    }),
  );
}

function command(model: ServiceModel, operation: OperationModel, name: string): Subcommand {
  const shape = model.shapes[operation.input as string] as Shape;
  const members = Object.entries(shape.members ?? {});
  const flags = members.map(([name, use]) => ({ flag: flagOf(name), valid: validOf(model, name, use) }));
  return {
    flags: [...flags, ENDPOINT, PROFILE],
    usage: usageOf(name, flags, new Set((shape.required ?? []).map(flagOf))),
    async run(parsed) {
      const missing = (shape.required ?? []).filter((name) => !parsed.values.has(flagOf(name)));
      if (missing.length > 0) throw new FlagError(`missing ${missing.map(flagOf).join(', ')}`);
      const input = Object.fromEntries(
        members.flatMap(([name, use]) => {
          const text = parsed.values.get(flagOf(name));
          return text === undefined ? [] : [[name, inputOf(model, name, use, text)]];
        }),
      );
      const { code, body } = await callChime(await callerOf(parsed, 'AWS_ENDPOINT_URL_CHIME'), operation, input);
      if (code !== undefined) throw new Error(`${code}: ${body['Message'] ?? body['message'] ?? ''}`);
      if (Object.keys(body).length > 0) console.log(JSON.stringify(body, null, 2));
      return 0;
    },
  };
}

/** Describes an operation: each flag with its values, the required ones first. */
function usageOf(name: string, flags: readonly Flag[], required: ReadonlySet<string>): string {
  const sorted = [...flags.filter(({ flag }) => required.has(flag)), ...flags.filter(({ flag }) => !required.has(flag)), ENDPOINT, PROFILE];
  const width = Math.max(...sorted.map(({ flag }) => flag.length));
  const lines = sorted.map(({ flag, valid }) => `  ${flag.padEnd(width)}  ${required.has(flag) ? 'required' : 'optional'}: ${valid}`);
  return [`belfry chime ${name} --MEMBER VALUE …`, '', ...lines, '', 'docs/own-operations.md describes the operation.', ''].join('\n');
}

/** Returns the flag of a member: `--domain-name` for `DomainName`. */
function flagOf(member: string): string {
  return `--${member.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}`;
}

/** Whether a member is a secret, which must not be on the command line, because other users can read it there. */
const isSecret = (member: string): boolean => SECRET_MEMBERS.has(member.toLowerCase());

function validOf(model: ServiceModel, name: string, { shape }: Member): string {
  const { type, enum: values, member } = model.shapes[shape] as Shape;
  if (isSecret(name)) return "'-', which reads it from standard input, or 'file://PATH'";
  if (type === 'list') return model.shapes[(member as Member).shape]?.type === 'string' ? 'values separated by commas' : 'JSON';
  if (type === 'integer') return 'a whole number';
  return values?.join(' or ') ?? "a text, '-', which reads it from standard input, or 'file://PATH'";
}

/** Beginning of a value that is in a file. Source: AWS CLI User Guide, "Loading a parameter from a file". */
const FILE = 'file://';

/** Returns the text of standard input or a file, without the line break at its end. Returns any other value as it is. @throws FlagError  no such file */
function textIn(name: string, given: string): string {
  if (given !== '-' && !given.startsWith(FILE)) return given;
  try {
    return readFileSync(given === '-' ? 0 : given.slice(FILE.length), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new FlagError(`${flagOf(name)} cannot be read: ${(error as Error).message}`);
  }
}

function inputOf(model: ServiceModel, name: string, use: Member, given: string): unknown {
  const { type, member } = model.shapes[use.shape] as Shape;
  if (isSecret(name) && given !== '-' && !given.startsWith(FILE))
    throw new FlagError(`${flagOf(name)} must be ${validOf(model, name, use)}`);
  const text = textIn(name, given);
  if (type === 'integer') {
    if (!/^[0-9]{1,9}$/.test(text)) throw new FlagError(`${flagOf(name)} must be ${validOf(model, name, use)}`);
    return Number(text);
  }
  if (type !== 'list') return text;
  if (model.shapes[(member as Member).shape]?.type === 'string') return text.split(',').map((each) => each.trim());
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new FlagError(`${flagOf(name)} must be ${validOf(model, name, use)}`);
  }
}
