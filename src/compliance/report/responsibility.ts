/** The responsibility matrix and the subjects that are not assessed, as sections of a report. Requirements SR-1, COMP-9. */
import { type Control, SECTIONS } from '../controls/control.ts';
import { CONTROLS } from '../controls/controls.ts';
import { described, list, type Of, object, oneOf, optional, text, whole } from '../shape.ts';

export const RESPONSIBILITY = list(
  object({
    section: described(whole, 'Section of the security requirements.'),
    title: text,
    controls: list(
      object({
        id: text,
        owner: oneOf('project', 'operator', 'account administrator'),
        sentence: text,
        source: described(optional(text), 'File of the program or setting, for controls of the project.'),
        test: described(optional(text), 'Test that proves the control.'),
        duty: described(optional(text), 'Setting, command or task of the owner.'),
      }),
    ),
  }),
);
export type Responsibility = Of<typeof RESPONSIBILITY>;

/** Returns the matrix by section. */
export function responsibilitySection(): Responsibility {
  return Object.entries(SECTIONS).map(([section, title]) => ({
    section: Number(section),
    title,
    controls: CONTROLS.filter((control) => control.section === Number(section)).map(facts),
  }));
}

function facts(control: Control): Responsibility[number]['controls'][number] {
  const { id, owner, sentence } = control;
  return control.owner === 'project'
    ? { id, owner, sentence, source: control.source, test: control.test }
    : { id, owner, sentence, duty: control.duty };
}
