/** What a column of a record can be called. */
export const COLUMN_NAME = /^[A-Za-z_@][A-Za-z0-9_@.-]*$/;
