/** `import()` in a module of its own, so that a bundle that knows none can leave it beside itself. */
export const importModule = (url: string): Promise<unknown> => import(url)
