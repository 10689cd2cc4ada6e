import { AwsError } from '#core/aws-error.ts';
import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { isUnquoted } from '#model/secret-members.ts';
import { elementConstraint, numberCheck, sizeCheck, stringCheck } from './constraints.ts';
import { assertOwnName, elementReader, MUST_NOT_BE_NULL, oneOf, readElements, readEntries, shapeOf } from './document-reader.ts';
import { fault, lowerFirst, notA, type Read } from './faults.ts';
import { base64ToBytes, secondsToInstant, textToBoolean, textToDouble, textToInstant, textToInteger } from './scalars.ts';

/** Node of the tree of parameters. The name `Tags.member.1.Key` is a path of four steps. */
export interface Branch {
  value: string | undefined;
  branches: Map<string, Branch> | undefined;
}

/** Maximum number of steps in a name. The deepest input of a query service, PutAnomalyDetector, has ten. */
const STEPS_MAX = 24;

/** Returns the parameters as a tree. @throws SerializationException  a name has too many steps */
export function parameterTree(parameters: ReadonlyMap<string, string>): Branch {
  const root: Branch = { value: undefined, branches: undefined };
  for (const [name, value] of parameters) {
    let at = root;
    const steps = name.split('.', STEPS_MAX + 1);
    if (steps.length > STEPS_MAX)
      throw new AwsError('SerializationException', `Parameters are nested too deeply (maximum: ${STEPS_MAX} levels)`);
    for (const step of steps) {
      at.branches ??= new Map();
      let next = at.branches.get(step);
      if (next === undefined) at.branches.set(step, (next = { value: undefined, branches: undefined }));
      at = next;
    }
    at.value = value;
  }
  return root;
}

/**
 * Creates readers of parameter trees, one for each use of a shape in the model.
 *
 * The first element of a list `X` is the parameter `X.member.1`, or `X.1` if the list is flattened. The first entry of
 * a map `X` is the two parameters `X.entry.1.key` and `X.entry.1.value`. The parameter `X=` is an empty list, map or
 * structure. Parameters that the model does not have are ignored.
 *
 * Source: Smithy 2.0, "AWS query protocol".
 */
export function queryReaders(model: ServiceModel): { readonly member: (member: Member) => Read } {
  const compiled = new Map<string, Read>();

  function member(use: Member): Read {
    const key = `${use.shape} ${use.sensitive === true} ${use.timestampFormat} ${use.flattened === true}`;
    const known = compiled.get(key);
    if (known) return known;
    let actual: Read | undefined;
    compiled.set(key, (value, reading, depth) => (actual as Read)(value, reading, depth));
    actual = compile(shapeOf(model, use.shape), use);
    compiled.set(key, actual);
    return actual;
  }

  function compile(shape: Shape, use: Member): Read {
    const sensitive = use.sensitive === true || shape.sensitive === true;
    switch (shape.type) {
      case 'structure':
        return structure(model, shape, member);
      case 'list':
        return list(model, shape, use, member, sensitive);
      case 'map':
        return map(model, shape, use, member, sensitive);
      case 'string':
      case 'integer':
      case 'long':
      case 'float':
      case 'double':
      case 'boolean':
      case 'timestamp':
      case 'blob': {
        const read = textReader(model, shape, use);
        return (branch, reading, depth) => read(textOf(branch as Branch), reading, depth);
      }
    }
  }

  return { member };
}

/** Returns the reader of a scalar that is sent as a string: in a form, a URI label, a query string or a header. */
export function textReader(
  model: ServiceModel,
  shape: Shape,
  use: Member,
): (text: string, reading: Parameters<Read>[1], depth: number) => unknown {
  const sensitive = use.sensitive === true || shape.sensitive === true;
  switch (shape.type) {
    case 'string': {
      const check = stringCheck(shape, sensitive, model.service);
      return (text, reading, depth) => {
        check?.(text, reading, depth);
        return text;
      };
    }
    case 'integer':
    case 'long': {
      const { type } = shape;
      const check = numberCheck(shape, sensitive);
      return (text, reading, depth) => {
        const value = textToInteger(text, type);
        check?.(value, reading, depth);
        return value;
      };
    }
    case 'float':
    case 'double': {
      const check = numberCheck(shape, sensitive);
      return (text, reading, depth) => {
        const value = textToDouble(text);
        check?.(value, reading, depth);
        return value;
      };
    }
    case 'boolean':
      return textToBoolean;
    case 'timestamp':
      return (use.timestampFormat ?? shape.timestampFormat) === 'unixTimestamp'
        ? (text) => secondsToInstant(textToDouble(text))
        : textToInstant;
    case 'blob': {
      const size = sizeCheck(shape);
      return (text, reading, depth) => {
        const bytes = base64ToBytes(text);
        size?.(bytes.byteLength, undefined, sensitive, reading, depth);
        return bytes;
      };
    }
    case 'structure':
    case 'list':
    case 'map':
      throw new Error(`the model of ${model.service}: the shape '${use.shape}' cannot be read from a string`);
  }
}

function textOf(branch: Branch): string {
  if (branch.value === undefined) throw notA({}, 'a String');
  return branch.value;
}

function structure(model: ServiceModel, shape: Shape, member: (use: Member) => Read): Read {
  const required = new Set(shape.required);
  const members = Object.entries(shape.members ?? {}).map(([name, use]) => {
    assertOwnName(model, name);
    return {
      name,
      parameter: use.locationName ?? name,
      label: lowerFirst(name),
      required: required.has(name),
      read: member(isUnquoted(name) ? { ...use, sensitive: true } : use),
    };
  });
  const union = shape.union === true;
  return (value, reading, depth) => {
    const branches = branchesOf(value as Branch, 'a Structure');
    const input: Record<string, unknown> = {};
    let given = 0;
    for (const one of members) {
      const found = branches?.get(one.parameter);
      if (found !== undefined) {
        reading.at[depth] = one.label;
        input[one.name] = one.read(found, reading, depth + 1);
        given++;
      } else if (one.required) {
        reading.at[depth] = one.label;
        fault(reading, depth + 1, MUST_NOT_BE_NULL, null, false);
      }
    }
    if (union && given !== 1) throw oneOf();
    return input;
  };
}

/**
 * Returns the child nodes of a list, map or structure, or `undefined` if it is empty (`X=`).
 *
 * @throws SerializationException  the node has a value
 */
function branchesOf(branch: Branch, wanted: string): ReadonlyMap<string, Branch> | undefined {
  if (branch.value !== undefined && (branch.value !== '' || branch.branches !== undefined)) throw notA(branch.value, wanted);
  return branch.branches;
}

function list(model: ServiceModel, shape: Shape, use: Member, member: (use: Member) => Read, sensitive: boolean): Read {
  const element = shape.member as Member;
  const read = scalarsQuoted(model, element, member);
  const step = element.locationName ?? 'member';
  const size = sizeCheck(shape);
  const quiet = sensitive || element.sensitive === true || shapeOf(model, element.shape).sensitive === true;
  return (value, reading, depth) => {
    const branches = branchesOf(value as Branch, 'a List');
    const numbered = use.flattened === true ? branches : stepInto(branches, step);
    const elements = numbered === undefined ? [] : inOrder(numbered);
    size?.(elements.length, quiet ? undefined : elements.map((one) => one.value ?? null), quiet, reading, depth);
    return readElements(elements, read, reading, depth);
  };
}

/**
 * Returns the reader of list elements. For a list of strings, it first converts each node to its string, so that
 * messages can quote the strings.
 */
function scalarsQuoted(model: ServiceModel, use: Member, member: (use: Member) => Read): Read {
  if (shapeOf(model, use.shape).type !== 'string') return member(use);
  const shape = shapeOf(model, use.shape);
  const text = textReader(model, shape, use);
  const read = elementReader(model, use, () => (value, reading, depth) => text(value as string, reading, depth));
  return (branch, reading, depth) => read(textOf(branch as Branch), reading, depth);
}

function map(model: ServiceModel, shape: Shape, use: Member, member: (use: Member) => Read, sensitive: boolean): Read {
  const keyUse = shape.key as Member;
  const valueUse = shape.member as Member;
  const keyText = textReader(model, shapeOf(model, keyUse.shape), keyUse);
  const key: Read = (value, reading, depth) => keyText(value as string, reading, depth);
  const read = member(valueUse);
  const keyStep = keyUse.locationName ?? 'key';
  const valueStep = valueUse.locationName ?? 'value';
  const keyConstraint = `Map keys must satisfy constraint: ${elementConstraint(shapeOf(model, keyUse.shape)).slice('Member must satisfy constraint: '.length)}`;
  const size = sizeCheck(shape);
  return (value, reading, depth) => {
    const branches = branchesOf(value as Branch, 'a Map');
    const numbered = use.flattened === true ? branches : stepInto(branches, 'entry');
    const entries = new Map<string, Branch | undefined>();
    for (const entry of numbered === undefined ? [] : inOrder(numbered)) {
      const name = entry.branches?.get(keyStep);
      if (name === undefined) throw notA({}, 'a Map');
      if (entries.has(textOf(name))) throw new AwsError('SerializationException', 'Duplicate key in a map');
      entries.set(textOf(name), entry.branches?.get(valueStep));
    }
    size?.(entries.size, undefined, sensitive, reading, depth);
    return readEntries([...entries.keys()], (name) => entries.get(name), key, keyConstraint, read, reading, depth);
  };
}

function stepInto(branches: ReadonlyMap<string, Branch> | undefined, step: string): ReadonlyMap<string, Branch> | undefined {
  const found = branches?.get(step);
  if (branches !== undefined && found === undefined) throw notA({}, 'a List');
  return found?.branches;
}

const POSITION = /^[1-9][0-9]{0,5}$/;

/** Returns list elements in the order of their numbers in the request (`1`, `2`, …). Skips missing numbers. */
function inOrder(numbered: ReadonlyMap<string, Branch>): Branch[] {
  const found: [number, Branch][] = [];
  for (const [position, branch] of numbered) {
    if (!POSITION.test(position)) throw notA({}, 'a List');
    found.push([Number(position), branch]);
  }
  found.sort((a, b) => a[0] - b[0]);
  return found.map(([, branch]) => branch);
}
