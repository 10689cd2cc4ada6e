import type { Migration } from '../migrate.ts';

/** Creates the tables of the inventory of phone numbers, of the numbers of AWS accounts, and of their orders. */
export const migration: Migration = {
  title: 'phone numbers',
  statements: [
    `CREATE TABLE phone_inventory (
      number {text} NOT NULL, country {text} NOT NULL, type {text} NOT NULL, is_business_calling {int} NOT NULL,
      is_voice_connector {int} NOT NULL, is_sip_dial_in {int} NOT NULL, capabilities {text} NOT NULL, area_code {text},
      state {text}, city {text}, is_free {int} NOT NULL, imported_at_ms {int} NOT NULL,
      PRIMARY KEY (number)) {clustered}`,
    'CREATE INDEX phone_inventory_area_code ON phone_inventory (country, area_code, number) WHERE is_free = 1',
    'CREATE INDEX phone_inventory_state ON phone_inventory (country, state, number) WHERE is_free = 1',
    'CREATE INDEX phone_inventory_city ON phone_inventory (country, state, city, number) WHERE is_free = 1',
    'CREATE INDEX phone_inventory_type ON phone_inventory (country, type, number) WHERE is_free = 1',
    'CREATE INDEX phone_inventory_business_calling ON phone_inventory (country, type) WHERE is_business_calling = 1',
    'CREATE INDEX phone_inventory_voice_connector ON phone_inventory (country, type) WHERE is_voice_connector = 1',
    'CREATE INDEX phone_inventory_sip_dial_in ON phone_inventory (country, type) WHERE is_sip_dial_in = 1',
    `CREATE TABLE phone_number (
      account_id {text} NOT NULL, number {text} NOT NULL, order_id {text} NOT NULL, product_type {text} NOT NULL,
      state {text} NOT NULL, created_at_ms {int} NOT NULL, acquired_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL,
      deleted_at_ms {int}, released_at_ms {int}, association_name {text}, associated_to {text}, associated_at_ms {int},
      chime_account_id {text}, document {text} NOT NULL,
      PRIMARY KEY (account_id, number)) {clustered}`,
    'CREATE UNIQUE INDEX phone_number_number ON phone_number (number)',
    'CREATE INDEX phone_number_state ON phone_number (account_id, state, number)',
    'CREATE INDEX phone_number_product ON phone_number (account_id, product_type, number)',
    'CREATE INDEX phone_number_state_product ON phone_number (account_id, state, product_type, number)',
    'CREATE INDEX phone_number_acquired ON phone_number (account_id, acquired_at_ms)',
    `CREATE INDEX phone_number_association ON phone_number (account_id, association_name, associated_to, number)
      WHERE associated_to IS NOT NULL`,
    `CREATE INDEX phone_number_chime_account ON phone_number (account_id, chime_account_id, number)
      WHERE chime_account_id IS NOT NULL`,
    'CREATE INDEX phone_number_of_account_released ON phone_number (account_id, released_at_ms) WHERE released_at_ms IS NOT NULL',
    'CREATE INDEX phone_number_released ON phone_number (released_at_ms) WHERE released_at_ms IS NOT NULL',
    `CREATE TABLE phone_number_order (
      account_id {text} NOT NULL, order_id {text} NOT NULL, created_at_ms {int} NOT NULL, product_type {text} NOT NULL,
      document {text} NOT NULL,
      PRIMARY KEY (account_id, order_id)) {clustered}`,
    'CREATE INDEX phone_number_order_list ON phone_number_order (account_id, created_at_ms, order_id)',
  ],
};
