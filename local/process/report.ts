/** Tells the person at the keyboard what happens: one sentence a call. */
export type Report = (sentence: string) => void;
