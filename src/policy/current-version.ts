// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import { closingQuote } from '#core/json-scan.ts';
import { readPolicy } from './read.ts';

/** Version of the policy language that managed policies must have. */
export const CURRENT_VERSION = '2012-10-17';

/**
 * Returns the text of a valid policy in the current version of the policy language. It has the same meaning. A policy that has this version stays
 * as it is, character by character.
 *
 *     {"Statement": {… "Resource": "a/${b}" …}}   →   {"Version":"2012-10-17","Statement": {… "Resource": "a/${$}{b}" …}}
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Version": in version 2008-10-17, which is the default, `${` is literal.
 */
export function inCurrentVersion(text: string): string {
  const { document } = readPolicy(text);
  if (document === undefined || document.version?.value === CURRENT_VERSION) return text;
  const { root } = document;
  const member = root.members.find(({ name }) => name.value === 'Version');
  const [head, rest] =
    member === undefined
      ? [`{"Version":"${CURRENT_VERSION}",`, text.slice(root.start + 1)]
      : [`${text.slice(0, member.value.start)}"${CURRENT_VERSION}"`, text.slice(member.value.end)];
  return literal(head) + literal(rest);
}

/** Returns a part of a JSON text in which each `${` of a string is literal. The part does not begin or end in a string. */
function literal(json: string): string {
  let result = '';
  for (let i = 0; i < json.length; i++) {
    if (json[i] !== '"') {
      result += json[i];
      continue;
    }
    const end = closingQuote(json, i);
    const token = json.slice(i, end + 1);
    const value = JSON.parse(token) as string;
    result += value.includes('${') ? JSON.stringify(value.replaceAll('${', '${$}{')) : token;
    i = end;
  }
  return result;
}
