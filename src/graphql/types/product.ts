import { z } from 'zod';
import { toPublicId } from '../../domain/ids.ts';
import type { ProductStatus as Status } from '../../generated/prisma/enums.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { searchCondition } from '../search.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { implementNode, Node } from './node.ts';

const ProductStatus = builder.enumType('ProductStatus', {
  description: 'Whether a product is sold.',
  values: {
    ACTIVE: { value: 'active', description: 'On sale' },
    DRAFT: { value: 'draft', description: 'Not yet on sale' },
    ARCHIVED: { value: 'archived', description: 'No longer on sale' },
  } as const satisfies {
    readonly [S in Status as Uppercase<S>]: { readonly value: S; readonly description: string };
  },
});

builder.prismaObject('ProductImage', {
  description: 'A picture of a product.',
  select: { url: true },
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where it is, as the file said' }),
    position: t.exposeInt('position', { nullable: true, description: 'Its place among the pictures' }),
    altText: t.exposeString('altText', { nullable: true, description: 'What it shows, in words' }),
  }),
});

export const Product = builder.prismaObject('Product', {
  description: 'A product of the catalog, with its variants.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "prd_"', resolve: ({ id }) => toPublicId('product', id) }),
    handle: t.exposeString('handle', { description: "Shopify's handle; Google's item_group_id, else id" }),
    title: t.exposeString('title', { description: 'Its name' }),
    descriptionHtml: t.exposeString('descriptionHtml', {
      nullable: true,
      description: 'As the file said: HTML of others, not to be shown without cleaning',
    }),
    vendor: t.exposeString('vendor', { nullable: true, description: 'Who makes it' }),
    productType: t.exposeString('productType', { nullable: true, description: 'What it is' }),
    tags: t.exposeStringList('tags', { description: 'Words it is found by' }),
    status: t.expose('status', { type: ProductStatus, description: 'Whether it is sold' }),
    optionNames: t.exposeStringList('optionNames', {
      description: 'What its variants differ in, e.g. ["Size", "Color"]',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was imported first' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When an import changed it last' }),
    images: t.relation('images', {
      description: 'Its pictures, in their order',
      query: { orderBy: [{ position: { sort: 'asc', nulls: 'last' } }, { url: 'asc' }] },
    }),
  }),
});

implementNode('product', Product, (id, ctx, info) =>
  ctx.prisma.product.findFirst({
    ...selectionOf(ctx, info, 'Product'),
    where: { id, organizationId: ctx.principal.organization.id },
  }),
);

const ProductConnection = connectionType<{ readonly id: string }>(
  'Product',
  (t) => t.field({ type: Product, description: 'The product', resolve: (edge) => edge.node }),
  {
    description: 'A page of products, in the order of their first import.',
    totalCount: { nullable: true, description: 'Exact up to 10,000 and null beyond' },
  },
);

const ProductFilter = builder.inputType('ProductFilter', {
  description: 'All that are given must hold.',
  fields: (t) => ({
    vendors: t.stringList({ description: 'Made by one of these; an empty list matches nothing' }),
    statuses: t.field({ type: [ProductStatus], description: 'One of these; an empty list matches nothing' }),
    search: t.string({
      description: 'Part of title, handle, vendor or type; 3 to 200 characters, either case',
    }),
  }),
});

builder.queryField('products', (t) =>
  t.field({
    extensions: needs('read'),
    type: ProductConnection,
    description: "The organization's products, in the order of their first import",
    args: { ...pageArgs, filter: t.arg({ type: ProductFilter, description: 'Only products that match' }) },
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'products', z.uuid());
      const { vendors, statuses, search } = args.filter ?? {};
      const conditions = {
        organizationId: ctx.principal.organization.id,
        ...(vendors ? { vendor: { in: vendors } } : {}),
        ...(statuses ? { status: { in: statuses } } : {}),
        ...(typeof search === 'string' ? { searchText: searchCondition(search, ['filter', 'search']) } : {}),
      };
      const rows = await ctx.prisma.product.findMany({
        ...selectionOf(ctx, info, 'Product', ['edges', 'node']),
        where: { ...conditions, ...(request.after === null ? {} : { id: { gt: request.after } }) },
        orderBy: { id: 'asc' },
        take: request.first + 1,
      });
      const totalCount = async () => {
        const count = await ctx.prisma.product.count({ where: conditions, take: TOTAL_COUNT_MAX + 1 });
        return count > TOTAL_COUNT_MAX ? null : count;
      };
      return toPage({ list: 'products', request, rows, keyOf: (product) => product.id, totalCount });
    },
  }),
);
