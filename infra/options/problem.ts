/** An option, and what is wrong with it; `{option}` in the text stands for whatever that one is called. */
export type Problem = readonly [option: string, text: string];
