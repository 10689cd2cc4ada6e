/** Controls of the responsibility matrix. Requirement SR-1. */

/** Sections 2 to 14 of the security requirements. Each has at least one control. */
export const SECTIONS = {
  2: 'Identity and access management',
  3: 'Evaluation of policies',
  4: 'Resource-based policies',
  5: 'Authorization based on tags',
  6: 'Roles',
  7: 'Managed policies',
  8: 'Troubleshooting',
  9: 'Service-linked roles',
  10: 'Logging and monitoring',
  11: 'Compliance validation',
  12: 'Resilience',
  13: 'Infrastructure security',
  14: 'Updates',
} as const;
export type Section = keyof typeof SECTIONS;

interface ControlFacts {
  /** Section and a word: `10-chain`. It never changes. */
  readonly id: string;
  readonly section: Section;
  /** One sentence that is true if the owner has done the duty. */
  readonly sentence: string;
}

/**
 * A control, with exactly one owner.
 *
 * - `project`: the code does it by default. `source` is a file or a setting, and `test` the file that proves it
 * - `operator`: the person that runs the server and its host. `duty` names the setting, the command or the task
 * - `account administrator`: the person with the permissions in an AWS account. `duty` names the operation or the task
 */
export type Control =
  | (ControlFacts & { readonly owner: 'project'; readonly source: string; readonly test: string })
  | (ControlFacts & { readonly owner: 'operator' | 'account administrator'; readonly duty: string });

/** Returns a control of the project. `source` is a file, or the name of a setting. */
export function project(id: string, sentence: string, source: string, test: string): Control {
  return { id, section: sectionOf(id), sentence, owner: 'project', source, test };
}

/** Returns a control of the operator. */
export function operator(id: string, sentence: string, duty: string): Control {
  return { id, section: sectionOf(id), sentence, owner: 'operator', duty };
}

/** Returns a control of the administrators of an account. */
export function accountAdministrator(id: string, sentence: string, duty: string): Control {
  return { id, section: sectionOf(id), sentence, owner: 'account administrator', duty };
}

/** Returns the section that an ID begins with. @throws Error  there is no such section */
function sectionOf(id: string): Section {
  const section = id.slice(0, id.indexOf('-'));
  if (!Object.hasOwn(SECTIONS, section)) throw new Error(`the control '${id}' has no section`);
  return Number(section) as Section;
}
