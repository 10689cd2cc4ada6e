/** Columns of an imported file of phone numbers. The first four must be present. */
export const IMPORT_COLUMNS = ['number', 'country', 'type', 'products', 'capabilities', 'area_code', 'state', 'city'] as const;

/** One line of an imported file: its fields by column. Lists are separated by spaces. Absent fields are empty. */
export type ImportRow = Readonly<Partial<Record<(typeof IMPORT_COLUMNS)[number], string>>>;

/** Most lines or numbers of one command to a server, and numbers of one page. A longer file takes several commands. */
export const NUMBERS_AT_ONCE = 50;
