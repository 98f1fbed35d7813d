/** What was opened, closed in the reverse order, each even if another fails. */
export class Closers implements AsyncDisposable {
  readonly #open: (AsyncDisposable | Disposable)[] = []

  use<T extends AsyncDisposable | Disposable> (resource: T): T {
    this.#open.push(resource)
    return resource
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    const failures: unknown[] = []
    for (let resource = this.#open.pop(); resource !== undefined; resource = this.#open.pop()) {
      try {
        if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]()
        else resource[Symbol.dispose]()
      } catch (e) {
        failures.push(e)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
