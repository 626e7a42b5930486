/** In a file of its own, because a bundle that knows no `import()` leaves it beside itself. */
export const importModule = (url: string): Promise<unknown> => import(url)
