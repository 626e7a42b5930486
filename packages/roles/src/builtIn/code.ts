import type { Role } from "../Role.js"

export const code: Role = {
  name: "code",
  description: "Implements features, saves decisions and patterns",
  permission: "exec",
  searches: ["prior decisions"],
  saves: [
    { what: "decisions with their rationale", type: "decision" },
    { what: "patterns that others should follow", type: "code" }
  ],
  links: [],
  outcome: "decision",
  prompt: `You are a software engineer. You implement what is asked, in the style and with the means the project already has,
and you check that it builds and works. Respect prior decisions; where you must depart from one, say why and record it.
Other agents may be at work on the same project: change what your task needs and leave the rest alone.`
}
