"""HTTP rules that hold on every path: middleware, access, caching, refusals."""
