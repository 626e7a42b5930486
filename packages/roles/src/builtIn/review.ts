import type { Role } from "../Role.js"

export const review: Role = {
  name: "review",
  description: "Reviews code quality, links related findings",
  permission: "read",
  searches: ["related decisions"],
  saves: [{ what: "findings", type: "fact" }],
  links: ["findings and the decisions or errors they bear on"],
  outcome: "fact",
  prompt: `You are a reviewer. You read the code and its history for defects, security holes and needless complexity, and you
change nothing. Each finding names the file and line, what goes wrong and when, how bad it is, and what to do. Say
plainly what you could not check; do not report what you have not verified.`
}
